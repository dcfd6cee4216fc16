"""What courier exports, in vector stores: each takes embeddings and finds the nearest of some of them.

Run by `npm run bench -- exports`. Answers a line of standard input with {"seconds": …, "loaded": …, "nearest": [[id, …], …]}.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy


def read_parquet(path):
    """Ids and vectors (n, d) of a file that `courier embed` wrote."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=["item_id", "embedding"])
    if not pyarrow.types.is_fixed_size_list(table.schema.field("embedding").type):
        raise ValueError(f"pyarrow takes the vectors for {table.schema.field('embedding').type}")
    ids = table["item_id"].to_pylist()
    values = table["embedding"].combine_chunks().flatten().to_numpy()
    return ids, values.reshape(len(ids), -1)


def read_npy(vectors, ids):
    """The same of the files that `courier embed --npy` wrote."""
    import pandas

    return pandas.read_csv(ids, dtype=str)["item_id"].tolist(), numpy.load(vectors)


def faiss(case):
    """Exact search by inner product, which is the cosine of vectors of length 1."""
    from faiss import IndexFlatIP

    ids, vectors = read_npy(case["npy"], case["ids"])
    index = IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    _, rows = index.search(vectors[case["queries"]], case["nearest"])
    return index.ntotal, [[ids[row] for row in found] for found in rows]


def usearch(case):
    from usearch.index import Index

    ids, vectors = read_npy(case["npy"], case["ids"])
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="f32")
    index.add(numpy.arange(len(ids)), vectors)
    matches = index.search(vectors[case["queries"]], case["nearest"])
    return len(index), [[ids[key] for key in found] for found in matches.keys]


def hnswlib(case):
    from hnswlib import Index

    ids, vectors = read_parquet(case["parquet"])
    index = Index(space="cosine", dim=vectors.shape[1])
    index.init_index(max_elements=len(ids), ef_construction=200, M=16)
    index.add_items(vectors, numpy.arange(len(ids)))
    index.set_ef(200)
    keys, _ = index.knn_query(vectors[case["queries"]], k=case["nearest"])
    return index.get_current_count(), [[ids[key] for key in found] for found in keys]


def qdrant(case):
    """In this process; for a server, QdrantClient(url=…)."""
    from qdrant_client import QdrantClient, models

    ids, vectors = read_parquet(case["parquet"])
    client = QdrantClient(":memory:")
    size = vectors.shape[1]
    space = models.VectorParams(size=size, distance=models.Distance.COSINE)
    client.create_collection("items", vectors_config=space)
    payload = [{"item_id": item} for item in ids]
    client.upload_collection("items", vectors=vectors, payload=payload, ids=range(len(ids)))
    found = [
        client.query_points("items", query=vectors[query], limit=case["nearest"]).points
        for query in case["queries"]
    ]
    loaded = client.count("items").count
    return loaded, [[point.payload["item_id"] for point in points] for points in found]


def milvus(case):
    """Milvus Lite, a file; for a server, MilvusClient(uri="http://…")."""
    from pymilvus import DataType, MilvusClient

    ids, vectors = read_parquet(case["parquet"])
    with tempfile.TemporaryDirectory() as folder:
        client = MilvusClient(str(Path(folder) / "items.db"))
        schema = client.create_schema()
        schema.add_field("item_id", DataType.VARCHAR, is_primary=True, max_length=512)
        schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        index = client.prepare_index_params()
        index.add_index("embedding", index_type="FLAT", metric_type="COSINE")
        client.create_collection("items", schema=schema, index_params=index)
        for first in range(0, len(ids), 1000):
            rows = zip(ids[first : first + 1000], vectors[first : first + 1000], strict=True)
            client.insert("items", [{"item_id": item, "embedding": row} for item, row in rows])
        client.flush("items")
        found = client.search("items", data=list(vectors[case["queries"]]), limit=case["nearest"])
        loaded = client.query("items", output_fields=["count(*)"])[0]["count(*)"]
        nearest = [[hit["item_id"] for hit in hits] for hits in found]
        client.close()
    return loaded, nearest


stores = {store.__name__: store for store in (faiss, usearch, hnswlib, qdrant, milvus)}


def main():
    case = json.loads(sys.argv[1])
    store = stores[case["store"]]
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        loaded, nearest = store(case)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "loaded": loaded, "nearest": nearest}), flush=True)


main()
