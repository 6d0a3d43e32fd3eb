#!/usr/bin/env python3
"""Writes tests/data/metrics_reference.json: predictions, targets and what scikit-learn makes of them.

Usage: python3 tools/reference/metrics.py        (made with scikit-learn 1.2, Debian's python3-sklearn)
"""
import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics as m

TARGET = pathlib.Path(__file__).resolve().parents[2] / "tests/data/metrics_reference.json"
warnings.simplefilter("ignore")
random = np.random.default_rng(7)


def class_scores(target, prediction, average, **options):
    options |= {"average": average, "zero_division": 0}
    return {f"{name} {average}": float(score(target, prediction, **options))
            for name, score in (("precision", m.precision_score), ("recall", m.recall_score), ("f1_score", m.f1_score))}


def classes(n, count, there):
    """Some classes are predicted but never there; no two scores of a sample are equal."""
    target = random.integers(0, there, n)
    scores = np.round(random.normal(size=(n, count)) + 1.5 * np.eye(count)[target], 4)
    prediction = scores.argmax(1)
    values = {"accuracy": m.accuracy_score(target, prediction),
              "balanced_accuracy": m.balanced_accuracy_score(target, prediction)}
    for k in range(1, count + 1):
        values[f"top_{k}_accuracy"] = m.top_k_accuracy_score(target, scores, k=k, labels=range(count))
    for average in ("micro", "macro", "weighted"):
        values |= class_scores(target, prediction, average)
    return {"prediction": scores.tolist(), "target": target.tolist(), "values": values,
            "confusion": m.confusion_matrix(target, prediction, labels=range(count)).tolist()}


def binary(n, share):
    target = (random.random(n) < share).astype(int)
    scores = np.round(random.normal(size=n) + target - 0.3, 4)
    values = {"accuracy": m.accuracy_score(target, scores > 0), "accuracy above 0.5": m.accuracy_score(target, scores > 0.5)}
    values |= class_scores(target, scores > 0, "binary")
    values |= {f"{name} of 0": value for name, value in class_scores(target, scores > 0, "binary", pos_label=0).items()}
    return {"prediction": scores.tolist(), "target": target.tolist(), "values": values,
            "confusion": m.confusion_matrix(target, scores > 0, labels=[0, 1]).tolist()}


def regression(n, scales, offset=0.0):
    target = np.round(random.normal(size=(n, len(scales))) * scales, 3) + offset
    prediction = np.round(target + random.normal(size=target.shape) * scales * 0.4, 3)
    return {"prediction": prediction.tolist(), "target": target.tolist(),
            "values": {"mae": m.mean_absolute_error(target, prediction), "mse": m.mean_squared_error(target, prediction),
                       "rmse": m.mean_squared_error(target, prediction) ** 0.5, "r2_score": m.r2_score(target, prediction)}}


constant = np.full((4, 1), 2.0)
cases = {
    "classes": [classes(23, 4, 3), classes(40, 6, 6), classes(5, 3, 1)],
    "binary": [binary(30, 0.4), binary(17, 0.9), binary(6, 0.0)],
    "regression": [
        regression(11, [1.0, 10.0]),
        regression(25, [0.1]),
        regression(20, [1.0], offset=1e6),  # the mean is large: sums of squares would lose the variance
        {"prediction": (constant + 1).tolist(), "target": constant.tolist(),
         "values": {"r2_score": m.r2_score(constant, constant + 1), "mae": 1.0}},
        {"prediction": constant.tolist(), "target": constant.tolist(),
         "values": {"r2_score": m.r2_score(constant, constant), "mse": 0.0}},
    ],
}
TARGET.write_text(json.dumps(cases, separators=(",", ":")).replace('{"prediction"', '\n{"prediction"') + "\n")
