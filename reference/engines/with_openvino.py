"""Logits of OpenVINO on the CPU, of transformers' graph as torch exports it to ONNX."""

import tempfile
from pathlib import Path

import numpy as np
import openvino

import dump
from export_onnx import export

TYPES = {"f32": openvino.Type.f32, "bf16": openvino.Type.bf16, "f16": openvino.Type.f16}


def compute(arguments):
    path = export(arguments.model, Path(tempfile.mkdtemp(prefix="openvino-")), "f32")
    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": TYPES[arguments.type], "INFERENCE_NUM_THREADS": 1}
    model = core.compile_model(core.read_model(path), "CPU", options)
    print("precision", model.get_property("INFERENCE_PRECISION_HINT"))
    return model({"input_ids": np.array([arguments.tokens], np.int64)})["logits"][0]


dump.main(compute)
