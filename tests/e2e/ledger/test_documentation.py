"""The verifier printed in the documentation agrees with ours."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import Databases

from ai_agent_mesh.product.ledger import export

ROOT = Path(__file__).parents[3]


async def test_the_printed_verifier_accepts_an_export_and_refuses_a_changed_one(
    filled: Databases, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "ledger.md").read_text()
    program = tmp_path / "verifier.py"
    program.write_text(page.split("```python\n")[1].split("```")[0])
    file = tmp_path / "ledger.ndjson"
    lines = [line async for line in export(filled.operations)]
    file.write_bytes(b"".join(lines))
    run = [sys.executable, str(program), str(file)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("sound"), done.stderr
    assert "'tnt_a': 4" in done.stdout
    file.write_bytes(b"".join(lines).replace(b"agt_1", b"agt_2", 1))
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "root of batch 1" in done.stderr
