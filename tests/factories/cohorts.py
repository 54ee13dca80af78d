"""Tables about people that do not exist."""

import random

REGIONS = ("Friesland", "Groningen", "Drenthe", "Utrecht")


def cohort(rows: int = 400, *, seed: int = 1, with_names: bool = False) -> bytes:
    """Return a CSV table: subject, (name,) age, sex, region, diagnosis, shannon.

    Ages are scattered, so that small groups exist until they are put into intervals.
    """
    chance = random.Random(seed)
    header = ["subject_id", *(["name"] if with_names else []), "age", "sex", "region"]
    lines = [",".join([*header, "diagnosis", "shannon"])]
    for number in range(rows):
        person = [
            f"S{number:04d}",
            *([f"Person Number{number}"] if with_names else []),
            str(chance.randint(18, 89)),
            chance.choice(["female", "male"]),
            chance.choice(REGIONS),
            chance.choice(["none", "IBD", "IBS", "T2D"]),
            f"{chance.uniform(1, 5):.3f}",
        ]
        lines.append(",".join(person))
    return ("\n".join(lines) + "\n").encode()


def harmless(rows: int = 200) -> bytes:
    """Return a CSV table in which every group has many members: sex, arm, score."""
    lines = ["sex,arm,score"]
    lines += [f"{('female', 'male')[n % 2]},{('a', 'b')[n // 2 % 2]},{n % 7}" for n in range(rows)]
    return ("\n".join(lines) + "\n").encode()


ROLES = {
    "subject_id": "direct_identifier",
    "age": "quasi_identifier",
    "sex": "quasi_identifier",
    "region": "quasi_identifier",
    "diagnosis": "sensitive",
    "shannon": "insensitive",
}
HARMLESS_ROLES = {"sex": "quasi_identifier", "arm": "quasi_identifier", "score": "sensitive"}
RECIPE = {
    "version": 1,
    "steps": [
        {"op": "drop", "column": "subject_id"},
        {"op": "intervals", "column": "age", "width": 20, "origin": 0},
        {"op": "drop", "column": "region"},
        {"op": "suppress", "k": 5},
    ],
}
METADATA = {
    "title": "Gut health of nobody",
    "description": "Invented people with invented guts.",
    "creators": [{"name": "Curie, Marie", "orcid": "0000-0002-1825-0097"}],
    "subjects": [{"term": "gut microbiome"}],
    "licence": "CC-BY-4.0",
}
