"""Claims as data, each judged against published scores and against a study's own results."""

from midway.claims.audit import audit
from midway.claims.judge import Judged, judge
from midway.claims.published import Published, load_published
from midway.claims.schema import Claim, load_claims

__all__ = ["Claim", "Judged", "Published", "audit", "judge", "load_claims", "load_published"]
