"""Validates records: records.py WORK MZQC-SCHEMA OWN-SCHEMA

The quality record is validated by the official schema of mzQC and by autoqc's own, and read by pymzqc. rocrate and rocrate-validator read
the crate, and mihcsme-py the workbook. ImageJ's list of regions is compared with the GeoJSON files.
"""

import importlib.resources
import json
import sys
from pathlib import Path

work, official, own = (Path(name) for name in sys.argv[1:4])


def check(is_true, what):
    if not is_true:
        sys.exit(f"FAILED: {what}")
    print("ok:", what)


def record():
    import jsonschema
    from mzqc.MZQCFile import JsonSerialisable

    for path in [work / "record.json", work / "crate/quality-record.mzqc.json"]:
        document = json.loads(path.read_text())
        for schema in official, own:
            validator = jsonschema.Draft7Validator(json.loads(schema.read_text()), format_checker=jsonschema.FormatChecker())
            errors = [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(document)]
            check(not errors, f"{path.name} is valid by {schema.name} {errors[:3]}")
        run = JsonSerialisable.from_json(path.read_text())
        files = [file for quality in run.runQualities for file in quality.metadata.inputFiles]
        check(len(files) == 96 and all(file.fileProperties for file in files), "pymzqc: 96 files, each with its digest")


def crate():
    import requests
    from rocrate.rocrate import ROCrate
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    found = ROCrate(work / "crate")
    listed = {line.split("  ", 1)[1] for line in (work / "crate/manifest-sha256.txt").read_text().splitlines()}
    files = {entity.id for entity in found.data_entities if entity.type == "File"} | {"ro-crate-metadata.json"}
    check(files == listed, f"rocrate: {found.name}, {len(files)} files, those of the manifest")
    # The validator asks the web for the names of JSON-LD; the package rocrate has them, of a newer version that holds the older one's.
    names = (importlib.resources.files("rocrate") / "data/ro-crate.jsonld").read_bytes()

    class Asked:
        def get(self, url, **_):
            response = requests.Response()
            response.status_code, response._content, response.url = 200, names, url
            response.headers["Content-Type"] = "application/ld+json"
            return response

        head = get

    HttpRequester.__new__ = lambda kind, *_, **__: Asked()
    settings = services.ValidationSettings(
        rocrate_uri=str(work / "crate"),
        profile_identifier="ro-crate-1.1",
        requirement_severity=models.Severity.REQUIRED,
    )
    issues = [f"{issue.check.identifier}: {issue.message}" for issue in services.validate(settings).get_issues()]
    check(not issues, f"rocrate-validator: the crate has what RO-Crate 1.1 requires {issues}")


def wells():
    from mihcsme_py.parser import parse_excel_to_model

    found = parse_excel_to_model(work / "omero/mihcsme.xlsx")
    bubble = next(well for well in found.assay_conditions if well.well == "A02").conditions
    check(len(found.assay_conditions) == 8, f"mihcsme-py: 8 wells; A02 {bubble}")
    check(bubble["QC most frequent cause"] == "air-bubble", "mihcsme-py: the cause of A02")


def regions():
    lines = [line.strip().split("|")[1:] for line in (work / "rois.txt").read_text().splitlines() if line.startswith("region|")]
    found = {line[0]: line[1:] for line in lines}
    expected = {}
    for path in (work / "out/sim/masks").glob("*.geojson"):
        for feature in json.loads(path.read_text())["features"]:
            expected[feature["properties"]["name"]] = feature
    check(found.keys() == expected.keys(), f"ImageJ: {len(found)} regions, those of the GeoJSON files")
    for name, feature in expected.items():
        x, y, width, height, area, _, colour, cause = found[name]
        corners = feature["geometry"]["coordinates"][0]
        xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        properties = feature["properties"]
        red, green, blue = properties["classification"]["color"]
        said = [int(x), int(y), int(width), int(height), float(area), colour, cause]
        wanted = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), properties["measurements"]["area px"]]
        # QuPath's class of a fault without a known cause is called so.
        if cause == "unknown":
            said[-1] = "fault"
        if said != wanted + [f"#{red:02x}{green:02x}{blue:02x}", properties["classification"]["name"]]:
            sys.exit(f"FAILED: ImageJ has {name} as {said}, GeoJSON as {wanted}")
    holes = sum(line[6] == "composite" for line in lines)
    check(True, f"ImageJ: bounds, areas, colours and causes are the same; {holes} regions have holes")


record()
crate()
wells()
regions()
