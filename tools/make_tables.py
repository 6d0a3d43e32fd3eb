#!/usr/bin/env python3
"""Writes the tables of examples/data from scikit-learn's copies (Debian: python3-sklearn): a header, a row per sample."""

import csv
import gzip
import pathlib

import sklearn

SOURCE = pathlib.Path(sklearn.__file__).parent / "datasets" / "data"
TARGET = pathlib.Path(__file__).resolve().parents[1] / "examples" / "data"

CELL_FEATURES = ("radius texture perimeter area smoothness compactness concavity concave_points symmetry "
                 "fractal_dimension").split()
COLUMNS = {
    "iris": "sepal_length sepal_width petal_length petal_width species".split(),
    "wine": ("alcohol malic_acid ash alcalinity magnesium phenols flavanoids nonflavanoid_phenols proanthocyanins "
             "color_intensity hue od280_od315 proline cultivar").split(),
    "breast_cancer": [f"{kind}_{name}" for kind in ("mean", "error", "worst") for name in CELL_FEATURES] + ["benign"],
    "diabetes": "age sex bmi pressure tc ldl hdl tch ltg glucose progression".split(),
}


def classification(file_name):
    """The first line holds counts and the names of the classes."""
    with open(SOURCE / file_name, newline="") as file:
        return list(csv.reader(file))[1:]


def diabetes():
    with gzip.open(SOURCE / "diabetes_data_raw.csv.gz", "rt") as x, gzip.open(SOURCE / "diabetes_target.csv.gz", "rt") as y:
        return [[str(float(cell)).removesuffix(".0") for cell in [*features.split(), target]]
                for features, target in zip(x, y)]


def main():
    tables = {
        "iris": classification("iris.csv"),
        "wine": classification("wine_data.csv"),
        "breast_cancer": classification("breast_cancer.csv"),
        "diabetes": diabetes(),
    }
    for name, rows in tables.items():
        assert all(len(row) == len(COLUMNS[name]) for row in rows), name
        with open(TARGET / f"{name}.csv", "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS[name], *rows])


if __name__ == "__main__":
    main()
