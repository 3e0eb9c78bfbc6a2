"""Loads exports with the tools that others read them with.

    python check.py FOLDER

Reads FOLDER/*.stix.json, *.misp.json, *.layer.json and scales.json, says what failed, and ends with
`N passed, M failed`. Statements, positions and records (*.statement.json, *.position.json, *.record.json) are checked
by the JSON Schemas in FOLDER/schemas. A control first: what is wrong must be refused, or nothing here shows anything.
"""

import contextlib
import copy
import io
import json
import logging
import pathlib
import sys
import tempfile
import warnings

import jsonschema
import referencing
import stix2
import stix2.confidence.scales as scales
import stix2validator
from misp_stix_converter import stix_2_to_misp
from misp_stix_converter.misp_stix_mapping import TLP2MarkingDefinitions
from mitreattack.navlayers import Layer
from pymisp import MISPEvent
from stix2patterns.validator import run_validator

OBSERVABLES = stix2.registry.STIX2_OBJ_MAPS["2.1"]["observables"]
TLP_2 = {
    value.id: value
    for name, value in vars(TLP2MarkingDefinitions).items()
    if name.startswith("_TLP_")
}
# What misp-stix 2026.10.12 cannot take from any bundle: it has no parser for incidents, nor the method that its own table
# names for requests. The list may only shrink.
KNOWN = ["STIX object type: incident", "has no attribute '_parse_http_request_observable'"]
# Fields that a statement, a position or a record cannot be without, where they have them.
REQUIRED = {"schema", "title", "party", "number", "supersedes", "statement", "positions", "parties"}
passed, failed = 0, []


def check(what, is_good, why=""):
    global passed
    if is_good:
        passed += 1
    else:
        failed.append(what)
        print(f"FAIL {what}: {why}")


def is_valid(bundle):
    options = stix2validator.ValidationOptions(version="2.1", silent=True)
    with contextlib.redirect_stdout(io.StringIO()):
        results = stix2validator.validate_string(json.dumps(bundle), options)
    found = results if isinstance(results, list) else [results]
    errors = [str(error) for result in found for error in (getattr(result, "errors", None) or [])]
    return all(result.is_valid for result in found), errors


def check_stix(path):
    bundle = json.loads(path.read_text(encoding="utf-8"))
    objects = bundle["objects"]
    valid, errors = is_valid(bundle)
    check(f"{path.name}: stix2-validator", valid, errors[:5])
    for thing in objects:
        name = f"{path.name}: {thing['id']}"
        try:
            parsed = stix2.parse(thing, allow_custom=False, version="2.1")
            same = json.loads(parsed.serialize())
            check(f"{name} is read by stix2", same["id"] == thing["id"])
        except Exception as error:  # whatever it is, it is a failure
            check(f"{name} is read by stix2", False, error)
        if thing["type"] in OBSERVABLES and thing["type"] != "process":
            bare = {key: value for key, value in thing.items() if key != "id"}
            check(f"{name} has stix2's id", stix2.parse(bare, version="2.1").id == thing["id"])
        if thing["type"] == "indicator":
            check(f"{name} has a pattern", not run_validator(thing["pattern"], "2.1"), thing["pattern"])
        if thing.get("name", "").startswith("TLP:"):
            theirs = TLP_2.get(thing["id"])
            ours = (thing["name"], thing["extensions"], thing["created"])
            same = theirs is not None and ours == (
                theirs.name, json.loads(theirs.serialize())["extensions"], "2022-10-01T00:00:00.000Z")
            check(f"{name} is OASIS's", same, ours)
        check(f"{name} carries no confidence", "confidence" not in thing)
    check_refs(path.name, objects)
    with tempfile.TemporaryDirectory() as folder:
        answer = stix_2_to_misp(path, output_dir=folder, distribution=0, debug=True)
        errors = answer.get("errors", {})
        errors = [error for of in errors.values() for error in of] if isinstance(errors, dict) else errors
        others = [error for error in errors if not any(known in error for known in KNOWN)]
        check(f"{path.name}: misp-stix", answer.get("success") == 1 and not others, others)
        events = [json.loads(pathlib.Path(result).read_text()) for result in answer.get("results", [])]
        text = json.dumps(events)
        patterns = [thing["pattern"] for thing in objects if thing["type"] == "indicator"]
        lost = [pattern for pattern in patterns if pattern.split("'")[-2] not in text]
        # A statement has claims, and no indicator.
        is_there = patterns or path.name.startswith("statement-")
        check(f"{path.name}: misp-stix keeps the indicators", is_there and not lost, lost)


def refs(value, name=""):
    if isinstance(value, str) and (name.endswith("_ref") or name.endswith("_refs")):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from refs(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from refs(item, key)


def check_refs(name, objects):
    there = {thing["id"] for thing in objects}
    check(f"{name}: each id once", len(there) == len(objects))
    missing = [
        ref
        for thing in objects
        for ref in refs(thing)
        # What a redacted object is derived from stays at home.
        if ref not in there and not (thing.get("relationship_type") == "derived-from" and ref == thing["target_ref"])
    ]
    check(f"{name}: nothing dangles", not missing, missing[:5])


def check_misp(path):
    event = MISPEvent()
    given = json.loads(path.read_text(encoding="utf-8"))["Event"]
    event.load_file(str(path))
    again = json.loads(event.to_json())
    same = [a["value"] for a in again.get("Attribute", [])] == [a["value"] for a in given["Attribute"]]
    check(f"{path.name}: pymisp keeps the attributes", same)
    kinds = event.describe_types["category_type_mappings"]
    for attribute in given["Attribute"]:
        fits = attribute["type"] in kinds[attribute["category"]]
        check(f"{path.name}: {attribute['type']} stands in {attribute['category']}", fits)
    tags = {tag.name for tag in event.tags}
    check(f"{path.name}: one label", sum(tag.startswith("tlp:") for tag in tags) == 1, tags)


def check_layer(path):
    with contextlib.redirect_stdout(io.StringIO()) as told:
        layer = Layer()
        layer.from_file(str(path))
    check(f"{path.name}: navlayers", is_loaded(layer), told.getvalue())
    given = json.loads(path.read_text(encoding="utf-8"))
    kept = [] if not is_loaded(layer) else [technique.techniqueID for technique in layer.layer.techniques]
    check(f"{path.name}: techniques are kept", kept == [t["techniqueID"] for t in given["techniques"]])


def check_scales(path):
    functions = {
        "none-low-med-high": scales.none_low_med_high_to_value,
        "0-10": scales.zero_ten_to_value,
        "admiralty": scales.admiralty_credibility_to_value,
        "wep": scales.wep_to_value,
        "dni": scales.dni_to_value,
    }
    for scale, word, ours in json.loads(path.read_text(encoding="utf-8")):
        check(f"{scale} {word}", functions[scale](word) == ours, ours)


def check_statement(path):
    """What a bundle of a statement says: claims by claimant, opinions, nothing translated."""
    objects = json.loads(path.read_text(encoding="utf-8"))["objects"]
    names = {thing["id"]: thing.get("name") for thing in objects}
    claims = [thing for thing in objects if thing["type"] == "relationship"]
    check(f"{path.name}: has claims", bool(claims))
    for thing in claims:
        claim = next(value for value in thing["extensions"].values() if "claimant" in value)
        check(f"{path.name}: {thing['id']} is by its claimant", names[thing["created_by_ref"]] == claim["claimant"])
    opinions = {thing["opinion"] for thing in objects if thing["type"] == "opinion"}
    check(f"{path.name}: nobody is neutral", opinions <= {"agree", "disagree"}, opinions)
    report = next(thing for thing in objects if thing["type"] == "report")
    rank = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]

    def strictness(thing):
        labels = [names[mark] for mark in thing.get("object_marking_refs", []) if names.get(mark) in rank]
        return max((rank.index(label) for label in labels), default=0)

    strictest = max(strictness(thing) for thing in objects if thing is not report)
    check(f"{path.name}: the report is as strict as its parts", strictness(report) >= strictest)


def check_schemas(folder):
    """Statements, positions and the record by their schemas; and what the schemas must refuse."""
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "schemas").glob("*.schema.json"))]
    registry = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas)
    judges = {}
    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema(schema)
        judges[schema["properties"]["schema"]["const"]] = jsonschema.Draft202012Validator(schema, registry=registry)
    check("three schemas", len(judges) == 3, list(judges))
    files = [path for kind in ("statement", "position", "record") for path in sorted(folder.glob(f"*.{kind}.json"))]
    check("statements, positions and a record are there", len(files) >= 6, files)
    for path in files:
        thing = json.loads(path.read_text(encoding="utf-8"))
        judge = judges[thing["schema"]]
        errors = [error.message for error in judge.iter_errors(thing)]
        check(f"{path.name}: by its schema", not errors, errors[:5])
        for what, broken in breakages(thing):
            check(f"{path.name}: {what} is refused", not judge.is_valid(broken))


def breakages(thing):
    """The same with one thing wrong in it, each in turn."""
    for name in REQUIRED & set(thing):
        yield f"without {name}", {key: value for key, value in thing.items() if key != name}
    yield "an unknown field", {**thing, "confidence": 85}
    yield "another schema", {**thing, "schema": "assay-other/1"}
    if "statement" in thing:
        for name, value in [("stance", "agrees"), ("word_seen", "guessed"), ("date", "July 2021"), ("word", {"scale": "PHIA"})]:
            yield f"{name} {value}", {**thing, "positions": [{**thing["positions"][0], name: value}]}
    if "number" in thing:
        for name, value in [("number", 0), ("statement_sha256", "x"), ("tlp", "orange"), ("tlp", "red")]:
            yield f"{name} {value}", {**{key: thing[key] for key in thing if key != "recipients"}, name: value}
        for name, value in [("stance", "neutral"), ("likelihood", {"word": "likely", "interval": [5]})]:
            yield f"{name} {value}", {**thing, "clauses": [{"clause": "C1", "stance": "concur", name: value}]}
        yield "a part without a reason", {**thing, "clauses": [{"clause": "C1", "stance": "concur-in-part"}]}
    if "clauses" in thing and "title" in thing:
        clause = thing["clauses"][0]
        for name, value in [("level", "nation"), ("id", "a b"), ("text", "two\nlines"), ("grounds", [{}]), ("text", "")]:
            yield f"{name} {value!r}", {**thing, "clauses": [{**clause, name: value}]}
        yield "red for nobody", {**{key: thing[key] for key in thing if key != "recipients"}, "tlp": "red"}


def control(path):
    """What is broken on purpose must be refused."""
    bundle = json.loads(path.read_text(encoding="utf-8"))
    broken = copy.deepcopy(bundle)
    next(o for o in broken["objects"] if o["type"] == "campaign").pop("name")
    check("control: the validator refuses a campaign without a name", not is_valid(broken)[0])
    address = next(o for o in bundle["objects"] if o["type"] == "ipv4-addr")
    other = {"type": "ipv4-addr", "value": "198.51.100.3"}
    check("control: another address has another id", stix2.parse(other, version="2.1").id != address["id"])
    check("control: a bad pattern is refused", bool(run_validator("[ipv4-addr:value = ]", "2.1")))
    check("control: MITRE's reader refuses a layer without a domain", refused_layer())


def refused_layer():
    with contextlib.redirect_stdout(io.StringIO()):
        layer = Layer()
        try:
            layer.from_dict({"name": "x", "versions": {"layer": "4.5", "attack": "18", "navigator": "4.9.0"}})
        except Exception:
            return True
        return not is_loaded(layer)


def is_loaded(layer):
    """Without a layer, the library gives a text that says so."""
    return layer.layer is not None and not isinstance(layer.layer, str)


def main(folder):
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    bundles = sorted(folder.glob("*.stix.json"))
    control(bundles[0])
    for path in bundles:
        check_stix(path)
    for path in sorted(folder.glob("*.misp.json")):
        check_misp(path)
    for path in sorted(folder.glob("*.layer.json")):
        check_layer(path)
    for path in sorted(folder.glob("statement-*.stix.json")):
        check_statement(path)
    check_schemas(folder)
    check_scales(folder / "scales.json")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
