"""Write people.txt and places.txt, for train.py, from the `faker` package (MIT)."""

import argparse
import importlib
from pathlib import Path

LOCALES = (
    "en_US en_GB de_DE de_AT fr_FR es_ES it_IT nl_NL pl_PL sv_SE tr_TR pt_BR cs_CZ fi_FI no_NO "
    "hu_HU ro_RO hr_HR"
).split()
PEOPLE = ("first_names", "first_names_male", "first_names_female", "last_names")
PLACES = ("cities", "city_names")


def collect(kind, attributes):
    names = set()
    for locale in LOCALES:
        try:
            provider = importlib.import_module(f"faker.providers.{kind}.{locale}").Provider
        except ModuleNotFoundError:  # not every locale has both kinds
            continue
        for attribute in attributes:
            names.update(getattr(provider, attribute, ()))
    return sorted(n for n in names if n.isalpha() and n[0].isupper() and 2 < len(n) < 14)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write them into")
    args = parser.parse_args()
    people, places = collect("person", PEOPLE), collect("address", PLACES)
    (args.out / "people.txt").write_text("\n".join(people) + "\n", encoding="utf-8")
    (args.out / "places.txt").write_text("\n".join(places) + "\n", encoding="utf-8")
    print(len(people), "people,", len(places), "places")


if __name__ == "__main__":
    main()
