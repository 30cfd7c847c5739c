"""A multi-parallel suite of our own, generated with exact gold and the same everywhere.

1. `world` says what is the case, in no language: facts about people, companies and places, and
   questions about them. Everything is drawn from SHA-256 of split and number.
2. `lexicon` reads a language's templates and words, inflected forms included.
3. `render` puts a fact into a language: a sentence and where each slot lies in it.
4. `generate` makes examples of the three tasks from these.

Example i of a split says the same in every language. See docs/sampler.md.
"""
