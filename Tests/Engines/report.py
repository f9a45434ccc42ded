"""What MultiQC made of the sections: report.py REPORT"""

import json
import sys
from pathlib import Path

report = Path(sys.argv[1])


def check(is_true, what):
    if not is_true:
        sys.exit(f"FAILED: {what}")
    print("ok:", what)


data = json.loads((report / "multiqc_data/multiqc_data.json").read_text())
general = {name: row for table in data["report_general_stats_data"].values() for name, row in table.items()}
check(set(general) == {"first", "second"}, "MultiQC has a row for each run")
page = (report / "multiqc_report.html").read_text()
check("Usable frames of run first" in page and "Usable frames of run second" in page, "and a plate for each")
check("Frames that are not good" in page, "and the bars of causes")
