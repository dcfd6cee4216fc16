"""Answers each line of standard input by clustering a file of vectors with faiss: {"seconds": …, "inertia": …}."""

import json
import sys
import time

import faiss
import numpy


def main():
    case = json.loads(sys.argv[1])
    faiss.omp_set_num_threads(case["threads"])
    vectors = numpy.fromfile(case["file"], dtype="float32").reshape(-1, case["dimension"])
    # By default faiss trains on 256 vectors for each centre, drawn at random, and makes 25 iterations.
    per_centre = {"max_points_per_centroid": len(vectors)} if case["whole"] else {}
    print(json.dumps({"ready": True}), flush=True)
    for seed, _ in enumerate(sys.stdin, 1):
        start = time.perf_counter()
        clusters = faiss.Kmeans(
            case["dimension"], case["clusters"], niter=25, spherical=True, seed=seed, **per_centre
        )
        clusters.train(vectors)
        training = time.perf_counter() - start
        products, _ = clusters.index.search(vectors, 1)
        seconds = time.perf_counter() - start
        inertia = float(numpy.sum(1 - products, dtype="float64"))
        print(json.dumps({"seconds": seconds, "training": training, "inertia": inertia}), flush=True)


main()
