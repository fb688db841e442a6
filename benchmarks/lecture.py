"""The lecture's table of contents: sections and claims, so that what was not run keeps its place.

The lecture is "Deep Learning Basics" by D. Worrall (Machine Learning Summer School, Indonesia
2020, lecture 2). Titles are ours.
"""

SECTIONS = {
    1: ("Logistic regression", "The model, its loss and its gradient."),
    2: ("Gradient-based learning", "First and second order steps, and how fast they get there."),
    3: ("Shallow and deep networks", "What layers can represent, and what a gradient costs."),
    4: ("Stochastic gradients", "Noise, averaging, and step sizes that adapt."),
    5: ("Exploding and vanishing gradients", "How scale travels through depth."),
    6: ("Normalization and skip connections", "Holding the scale during training."),
    7: ("Learning theory", "Risk, bias and variance, and choosing a model honestly."),
    8: ("Architectures", "Convolutions, recurrence, continuous depth and graphs."),
    9: ("Equivariance", "What the lecture announces for next time: layers that know a symmetry."),
}

# claim -> (section, title), in slide order; B1 to B6 go beyond the slides
CLAIMS = {
    "C01": (1, "Binary logistic model, decision rule, bias by augmentation"),
    "C02": (1, "Derivatives of the sigmoid, and what makes it steep"),
    "C03": (1, "No conjugate prior: the posterior must be approximated"),
    "C04": (1, "The negative log-likelihood is the cross-entropy"),
    "C05": (1, "The gradient is prediction error times input"),
    "C06": (1, "Numerator layout and the chain rule"),
    "C07": (1, "Convexity of the loss, existence of a minimizer"),
    "C08": (1, "Categorical likelihood, simplex and softmax"),
    "C09": (1, "Multiclass likelihood and its gradient"),
    "C10": (2, "Setting the gradient to zero"),
    "C11": (2, "Gradient descent does not diverge for a small enough step"),
    "C12": (2, "The rate of gradient descent"),
    "C13": (2, "The second-order model and the Newton step"),
    "C14": (2, "First order as Newton with H = I"),
    "C15": (2, "The rate of Newton's method"),
    "C16": (2, "The cost of Newton's method"),
    "C17": (2, "The Hessian of the logistic loss"),
    "C18": (2, "Maximum likelihood: gradient descent against Newton"),
    "C19": (2, "The decision boundary is a hyperplane"),
    "C20": (3, "Learnable features under a linear softmax"),
    "C21": (3, "Universal approximation"),
    "C22": (3, "What a network with one hidden layer can learn"),
    "C23": (3, "Stacked features generalize better than shallow ones"),
    "C24": (3, "Deep composition and the layer-wise chain rule"),
    "C25": (3, "Choosing nonlinearities"),
    "C26": (3, "The cost of naive gradients"),
    "C27": (3, "The backpropagation recursion"),
    "C28": (3, "The complexity of backpropagation"),
    "C29": (3, "Activations must be stored"),
    "C30": (4, "Sum structure, time and space of a gradient"),
    "C31": (4, "The mini-batch gradient is unbiased"),
    "C32": (4, "Robbins-Monro conditions and the rate 1/T"),
    "C33": (4, "Momentum as gradient averaging"),
    "C34": (4, "RMSProp"),
    "C35": (4, "The normalized step is at most one"),
    "C36": (4, "Adam"),
    "C37": (4, "Optimizers racing on a loss surface"),
    "C38": (5, "Variance through one linear layer"),
    "C39": (5, "Variance grows or shrinks exponentially with depth"),
    "C40": (5, "The recursion of gradient variance"),
    "C41": (5, "The fan-in condition and Glorot's compromise"),
    "C42": (5, "He initialization, with a leaky slope"),
    "C43": (5, "Initialization only helps at the start"),
    "C44": (6, "Whitening: PCA and ZCA"),
    "C45": (6, "Cholesky whitening"),
    "C46": (6, "Batch normalization as diagonal whitening"),
    "C47": (6, "Batch normalization: training against inference"),
    "C48": (6, "Why batch normalization works"),
    "C49": (6, "Skip connections and hundreds of layers"),
    "C50": (7, "The order of a polynomial"),
    "C51": (7, "Risk and empirical risk"),
    "C52": (7, "Overfitting"),
    "C53": (7, "Regularized risk, prior and MAP"),
    "C54": (7, "Choosing the strength of regularization"),
    "C55": (7, "The bias-variance decomposition"),
    "C56": (7, "Which quantity the best model minimizes"),
    "C57": (7, "Bias and variance of 1000 fits to a cubic"),
    "C58": (7, "Cross-validation and the winner's curse"),
    "C59": (7, "Tuning: where to stop adding bias"),
    "C60": (8, "A convolution is a linear layer with tied weights"),
    "C61": (8, "The formula of the standard convolution"),
    "C62": (8, "Channels and parameter count"),
    "C63": (8, "Stride"),
    "C64": (8, "Pooling and its benefits"),
    "C65": (8, "Recurrent networks and unrolling"),
    "C66": (8, "Recurrence explodes or vanishes"),
    "C67": (8, "The LSTM is a more stable recurrent layer"),
    "C68": (8, "GRU and bidirectional layers"),
    "C69": (8, "Neural ordinary differential equations"),
    "C70": (8, "Graph neural networks"),
    "B1": (9, "Convolutions commute with shifts, and nothing else does"),
    "B2": (9, "Pooling and stride keep some shifts only"),
    "B3": (9, "Linear maps that commute with permutations"),
    "B4": (9, "Group convolutions commute with rotations"),
    "B5": (9, "Steerable filters"),
    "B6": (9, "Equivariance saves data"),
}

# Slips of notation on the slides: no number changes with them, so no experiment can show them.
NOTATION = {
    "C05": "the gradient stands as a column, although the announced layout makes it a row.",
    "C24": "the composition skips a layer: $\\phi_L(\\phi_{L-2}(\\dots))$ should go on with "
    "$\\phi_{L-1}$.",
    "C33": "the update reads $w =$ where the step's index is meant, $w_t =$; so in RMSProp.",
    "C44": "a variance sign stands over $(z - \\bar z)(z - \\bar z)^\\top$; an expectation is "
    "meant.",
    "C51": "the loss is a sum in one part of the lecture and a mean in the other, which moves $N$ "
    "into the learning rate and the prior's strength.",
    "C68": "the GRU is listed as a variant of the LSTM; it is a related cell of its own.",
    "C69": "the neural ODE stands among recurrent cells; it is a residual network of continuous "
    "depth.",
}


def section_of(claim: str) -> int:
    """Section number of a claim."""
    return CLAIMS[claim][0]


def title_of(claim: str) -> str:
    """Title of a claim."""
    return CLAIMS[claim][1]
