"""Trains FuxiCTR's Deep Interest Network on columns in memory, a piece for each line of standard input.

With "steps" in the settings a line is answered by training on for so many batches: {"seconds": …}. With "epochs" it is
answered by training a new model, of the next seed, and testing it: {"seconds": …, "auc": …}.

FuxiCTR's package has the parts of the model, its repository (model_zoo/DIN) how they are put together.
"""

import json
import sys
import tempfile
import time

import numpy
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch.layers import DIN_Attention, FeatureEmbeddingDict, MLP_Block
from fuxictr.pytorch.models import BaseModel
from fuxictr.pytorch.torch_utils import seed_everything


class DIN(BaseModel):
    def __init__(self, feature_map, case, folder):
        super().__init__(
            feature_map, model_root=folder, metrics=["AUC"], verbose=0,
            embedding_regularizer=None, net_regularizer=None,
        )
        dimension = case["embeddingDimension"]
        self.target = [column["name"] for column in case["candidate"]]
        self.sequence = [column["name"] for column in case["history"]]
        self.embedding_layer = FeatureEmbeddingDict(feature_map, dimension)
        self.attention = DIN_Attention(
            dimension * len(self.target), attention_units=[case["attentionWidth"]], hidden_activations="ReLU",
        )
        self.dnn = MLP_Block(
            input_dim=feature_map.sum_emb_out_dim(), output_dim=1, hidden_units=case["hiddenWidths"],
            hidden_activations="ReLU", output_activation=self.output_activation,
        )
        self.compile("adam", "binary_crossentropy", case["learningRate"])
        self.reset_parameters()
        self.model_to_device()

    def forward(self, inputs):
        features = self.get_inputs(inputs)
        embedded = self.embedding_layer(features)
        target = torch.cat([embedded[name] for name in self.target], dim=-1)
        sequence = torch.cat([embedded[name] for name in self.sequence], dim=-1)
        pooled = self.attention(target, sequence, features[self.sequence[0]] != 0)
        parts = pooled.split(embedded[self.target[0]].shape[-1], dim=-1)
        embedded.update(zip(self.sequence, parts))
        return {"y_pred": self.dnn(self.embedding_layer.dict2tensor(embedded, flatten_emb=True))}


def feature_map_of(case, folder):
    features = {}
    for column in case["situation"] + case["candidate"]:
        features[column["name"]] = {"type": "categorical", "vocab_size": column["size"], "padding_idx": 0}
    for column, target in zip(case["history"], case["candidate"]):
        features[column["name"]] = {
            "type": "sequence", "vocab_size": column["size"], "padding_idx": 0,
            "max_len": case["historyLength"], "share_embedding": target["name"],
        }
    # All dense columns as one vector with one linear layer, the fastest way that FuxiCTR has: as columns of their own
    # each would have a layer of its own.
    width = case["dense"]["size"]
    features["dense"] = {"type": "embedding", "pretrain_dim": width, "embedding_dim": width}
    feature_map = FeatureMap("bench", folder)
    feature_map.features.update(features)
    feature_map.labels = ["label"]
    feature_map.default_emb_dim = case["embeddingDimension"]
    feature_map.num_fields = feature_map.get_num_fields()
    return feature_map


def read_columns(case):
    columns = {}
    for column in case["situation"] + case["candidate"] + case["history"] + [case["labels"]]:
        values = torch.from_numpy(numpy.fromfile(column["path"], dtype="<i4").astype(numpy.int64))
        columns[column["name"]] = values
    for column in case["history"]:
        columns[column["name"]] = columns[column["name"]].view(-1, case["historyLength"])
    dense = numpy.fromfile(case["dense"]["path"], dtype="<f4").reshape(-1, case["dense"]["size"])
    columns["dense"] = torch.from_numpy(dense)
    return columns


class Batches:
    """What FuxiCTR asks of a data loader: batches by iteration, and their number."""

    def __init__(self, columns, rows, size, shuffled):
        self.columns = columns
        self.rows = rows
        self.size = size
        self.shuffled = shuffled

    def __len__(self):
        return -(-len(self.rows) // self.size)

    def __iter__(self):
        rows = self.rows[torch.randperm(len(self.rows))] if self.shuffled else self.rows
        for own in rows.split(self.size):
            yield {name: values[own] for name, values in self.columns.items()}


def endless(batches):
    while True:
        yield from batches


def prepare(model, steps):
    """What `fit` sets before it goes through epochs; validation would come after the last step."""
    model._max_gradient_norm = 10.0
    model._stop_training = False
    model._total_steps = 0
    model._eval_steps = steps
    model.train()


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    columns = read_columns(case)
    rows = torch.arange(len(columns["label"]))
    train = Batches(columns, rows[: case["trained"]], case["batchSize"], True)
    test = Batches(columns, rows[case["trained"] :], case["batchSize"], False)
    with tempfile.TemporaryDirectory() as folder:
        feature_map = feature_map_of(case, folder)

        def start(seed):
            seed_everything(seed)
            return DIN(feature_map, case, folder)

        if "steps" in case:
            model, source = start(1), endless(train)
            prepare(model, sys.maxsize)
        print(json.dumps({"ready": True}), flush=True)
        for seed, _ in enumerate(sys.stdin, start=1):
            begin = time.perf_counter()
            answer = {}
            if "steps" in case:
                model.train_epoch([next(source) for _ in range(case["steps"])])
            else:
                model = start(seed)
                prepare(model, sys.maxsize)
                for _ in range(case["epochs"]):
                    model.train_epoch(train)
                answer = {"auc": float(model.evaluate(test, ["AUC"])["AUC"])}
            print(json.dumps({"seconds": time.perf_counter() - begin, **answer}), flush=True)


main()
