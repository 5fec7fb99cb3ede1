"""Writes models of many kinds as the exporters of today write them, each with an input and calibration data,
for `cargo xtask sweep --alone`: EZKL does not read them. They are not kept: docs/operators.md has what came out.

    exporters.py sklearn DIR    scikit-learn, skl2onnx, onnx: each estimator that skl2onnx documents
    exporters.py boosted DIR    lightgbm, xgboost (or xgboost-cpu), onnxmltools

They are fitted to random data and predict nothing. A model that an exporter refuses is named and left out.
"""

import sys
import warnings

import numpy as np
from make import new_folder, save_data

FEATURES = 4


def data():
    """Samples, a number for each, and a class for each."""
    draw = np.random.RandomState(5)
    x = draw.uniform(-1, 1, (96, FEATURES)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2]).astype(np.float32)
    return x, y, (y > 0).astype(np.int64) + (y > 0.5)


def estimators():
    """scikit-learn's estimators in small, by name: of numbers, of classes, and what transforms."""
    from sklearn import (cluster, cross_decomposition, decomposition, discriminant_analysis, ensemble, feature_selection,
                         gaussian_process, isotonic, kernel_approximation, linear_model, mixture, multiclass, naive_bayes,
                         neighbors, neural_network, pipeline, preprocessing, random_projection, svm, tree)
    of_numbers = [
        linear_model.LinearRegression(), linear_model.Ridge(), linear_model.Lasso(0.01), linear_model.ElasticNet(0.01),
        linear_model.BayesianRidge(), linear_model.ARDRegression(), linear_model.HuberRegressor(), linear_model.Lars(),
        linear_model.LassoLars(0.01), linear_model.SGDRegressor(), linear_model.TheilSenRegressor(),
        linear_model.RANSACRegressor(), linear_model.OrthogonalMatchingPursuit(),
        linear_model.PassiveAggressiveRegressor(), linear_model.PoissonRegressor(), linear_model.GammaRegressor(),
        linear_model.TweedieRegressor(), linear_model.QuantileRegressor(),
        svm.LinearSVR(), svm.SVR(kernel="linear"), svm.SVR(), svm.NuSVR(),
        tree.DecisionTreeRegressor(max_depth=3), tree.ExtraTreeRegressor(max_depth=3),
        ensemble.RandomForestRegressor(4, max_depth=3), ensemble.ExtraTreesRegressor(4, max_depth=3),
        ensemble.GradientBoostingRegressor(n_estimators=4, max_depth=2),
        ensemble.HistGradientBoostingRegressor(max_iter=4, max_depth=2),
        ensemble.AdaBoostRegressor(n_estimators=3), ensemble.BaggingRegressor(n_estimators=3),
        ensemble.VotingRegressor([("a", linear_model.LinearRegression()), ("b", linear_model.Ridge())]),
        ensemble.StackingRegressor([("a", linear_model.LinearRegression()), ("b", linear_model.Ridge())]),
        neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=30), neighbors.KNeighborsRegressor(3),
        cross_decomposition.PLSRegression(2), gaussian_process.GaussianProcessRegressor(),
        isotonic.IsotonicRegression(),
    ]
    of_classes = [
        linear_model.LogisticRegression(), linear_model.RidgeClassifier(), linear_model.SGDClassifier(),
        linear_model.Perceptron(), linear_model.PassiveAggressiveClassifier(), svm.LinearSVC(), svm.SVC(), svm.NuSVC(nu=0.1),
        tree.DecisionTreeClassifier(max_depth=3), tree.ExtraTreeClassifier(max_depth=3),
        ensemble.RandomForestClassifier(4, max_depth=3), ensemble.ExtraTreesClassifier(4, max_depth=3),
        ensemble.GradientBoostingClassifier(n_estimators=3, max_depth=2),
        ensemble.HistGradientBoostingClassifier(max_iter=3, max_depth=2),
        ensemble.AdaBoostClassifier(n_estimators=3), ensemble.BaggingClassifier(n_estimators=3),
        ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())], flatten_transform=False),
        neural_network.MLPClassifier(hidden_layer_sizes=(5,), max_iter=30), neighbors.KNeighborsClassifier(3), neighbors.NearestCentroid(),
        naive_bayes.GaussianNB(), naive_bayes.BernoulliNB(),
        discriminant_analysis.LinearDiscriminantAnalysis(), discriminant_analysis.QuadraticDiscriminantAnalysis(),
        multiclass.OneVsRestClassifier(linear_model.LogisticRegression()),
        gaussian_process.GaussianProcessClassifier(),
    ]
    without = [
        preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.MaxAbsScaler(), preprocessing.RobustScaler(),
        preprocessing.Normalizer(), preprocessing.Binarizer(), preprocessing.PolynomialFeatures(2),
        preprocessing.KBinsDiscretizer(3, encode="ordinal"), preprocessing.PowerTransformer(),
        decomposition.PCA(2), decomposition.TruncatedSVD(2), decomposition.IncrementalPCA(2), decomposition.FastICA(2),
        decomposition.KernelPCA(2), cluster.KMeans(3, n_init=2), cluster.MiniBatchKMeans(3, n_init=2),
        mixture.GaussianMixture(2), ensemble.IsolationForest(n_estimators=3), neighbors.LocalOutlierFactor(novelty=True),
        svm.OneClassSVM(), feature_selection.VarianceThreshold(), random_projection.GaussianRandomProjection(2),
        kernel_approximation.RBFSampler(n_components=4),
        pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
        pipeline.make_pipeline(preprocessing.MinMaxScaler(), decomposition.PCA(3), linear_model.Ridge()),
    ]
    return of_numbers, of_classes, without


def sklearn_models(parent):
    from skl2onnx import to_onnx
    from sklearn.base import is_classifier
    from sklearn.pipeline import Pipeline
    x, y, classes = data()
    of_numbers, of_classes, without = estimators()
    targets = [(of_numbers, y), (of_classes, classes), (without, classes)]
    for model, target in [(model, target) for models, target in targets for model in models]:
        name = type(model).__name__
        if isinstance(model, Pipeline):
            name = "Pipeline_" + "_".join(type(step).__name__ for _, step in model.steps)
        if "random_state" in model.get_params():
            model.set_params(random_state=3)
        try:
            # One feature only, and one whose targets are above 0.
            inputs = x[:, :1] if name == "IsotonicRegression" else x
            model.fit(inputs.ravel() if name == "IsotonicRegression" else inputs,
                      np.abs(target) + 0.1 if name in ["GammaRegressor", "PoissonRegressor"] else target)
            # Probabilities as a tensor, which is what a circuit has.
            options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") and is_classifier(model) else None
            exported = to_onnx(model, inputs[:1], target_opset={"": 13, "ai.onnx.ml": 3}, options=options)
        except Exception as error:  # each exporter has its own
            print(f"{name}: not exported: {str(error).splitlines()[0]}")
            continue
        folder, path = new_folder(parent, name)
        with open(path, "wb") as file:
            file.write(exported.SerializeToString())
        save_data(folder, [(1, inputs.shape[1])])


def boosted_models(parent):
    from lightgbm import LGBMClassifier, LGBMRegressor
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from xgboost import XGBClassifier, XGBRegressor
    x, y, classes = data()
    few = {"n_estimators": 3, "max_depth": 2, "random_state": 3, "n_jobs": 1}
    kinds = [(LGBMRegressor, convert_lightgbm, y), (LGBMClassifier, convert_lightgbm, classes),
             (XGBRegressor, convert_xgboost, y), (XGBClassifier, convert_xgboost, classes)]
    for kind, convert, target in kinds:
        options = {"zipmap": False} if convert is convert_lightgbm else {}
        more = {"min_child_samples": 5, "verbose": -1} if convert is convert_lightgbm else {}
        network = convert(kind(**few, **more).fit(x, target), target_opset=13,
                          initial_types=[("x", FloatTensorType([1, FEATURES]))], **options)
        folder, path = new_folder(parent, kind.__name__)
        with open(path, "wb") as file:
            file.write(network.SerializeToString())
        save_data(folder, [(1, FEATURES)])


if __name__ == "__main__":
    makers = {"sklearn": sklearn_models, "boosted": boosted_models}
    if len(sys.argv) != 3 or sys.argv[1] not in makers:
        sys.exit(__doc__)
    warnings.simplefilter("ignore")
    makers[sys.argv[1]](sys.argv[2])
