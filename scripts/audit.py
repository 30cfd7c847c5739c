"""Ask pip-audit for known vulnerabilities of what is installed; without a network, say so.

Exit code 1 for a vulnerability, 0 for none, and 0 with a warning where the database or pip-audit
itself cannot be had: a machine without a network must be able to build.
"""

import shutil
import subprocess
import sys
from pathlib import Path

# What pip-audit and pip say when the network, not a package, is the trouble.
UNREACHABLE = (
    *("ConnectionError", "Max retries exceeded", "Name or service not known", "timed out"),
    *("Temporary failure in name resolution", "Connection refused", "ProxyError", "ServiceError"),
    *("Could not find a version", "No matching distribution", "HTTPError", "Forbidden"),
)


def verdict(code: int, said: str) -> tuple[int, str]:
    """Return the exit code and a line for what a run of pip-audit said.

    Args:
        code: its exit code.
        said: all of its output.
    """
    if code == 0:
        return 0, "no known vulnerabilities"
    if "known vulnerabilit" not in said and any(sign in said for sign in UNREACHABLE):
        return 0, "NOT AUDITED: the database of vulnerabilities cannot be reached from here"
    return 1, "known vulnerabilities, or an audit that failed; see above"


def main() -> None:
    """Install pip-audit if need be, run it, and say what came of it."""
    folder = Path(sys.executable).parent
    program = shutil.which("pip-audit", path=str(folder))
    if program is None:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "pip-audit"]
        done = subprocess.run(install, capture_output=True, text=True)  # noqa: S603 (our own words)
        if done.returncode:
            print("NOT AUDITED: pip-audit is not installed and cannot be installed from here")
            return
        program = str(folder / "pip-audit")
    command = [program, "--skip-editable", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    said = done.stdout + done.stderr
    code, line = verdict(done.returncode, said)
    print(said.strip() if code or not done.returncode else said.strip()[-400:])
    print(line)
    sys.exit(code)


if __name__ == "__main__":
    main()
