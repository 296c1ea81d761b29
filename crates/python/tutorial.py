"""weightsmith in Python, from the first prediction to ONNX. Each cell runs by itself; the tests run all of them.

Editors and Jupyter (through jupytext) show `# %%` as the cells of a notebook.
"""

# %% [markdown]
# ## A first prediction
# A table with names, numbers and gaps goes in as it is: no encoding, no scaling, nothing to tune.

# %%
from weightsmith import WeightsmithClassifier, load_sample

X, y = load_sample("penguins")
model = WeightsmithClassifier().fit(X[::2], y[::2])
print(model.predict(X[1::2])[:5])

# %% [markdown]
# ## How good will it be?
# Estimated from the rows that it was made from; here are others to compare with.

# %%
from sklearn.metrics import log_loss

expected = model.expected_performance_
observed = log_loss(y[1::2], model.predict_proba(X[1::2]))
print(f"{expected.metric} expected {expected.value:.3f} ({expected.low:.3f} to {expected.high:.3f}), observed {observed:.3f}")
assert observed < 0.3

# %% [markdown]
# ## Numbers
# A regressor says how far off it will be, in the target's unit.

# %%
from weightsmith import WeightsmithRegressor

cars, price = load_sample("cars")
regressor = WeightsmithRegressor().fit(cars[::2], price[::2])
values, std = regressor.predict(cars[1::2], return_std=True)
low_and_high = regressor.predict(cars[1::2], quantiles=[0.05, 0.95])
print(f"{values[0]:.0f} dollars, give or take {std[0]:.0f}; 90 % between {low_and_high[0].round()}")

# %% [markdown]
# ## With scikit-learn
# It is an estimator like any other.

# %%
from sklearn.model_selection import cross_val_score

scores = cross_val_score(WeightsmithClassifier(steps=0), X, y, cv=5)
print(f"accuracy {scores.mean():.3f}")
assert scores.mean() > 0.95

# %% [markdown]
# ## Beside other methods
# In a notebook the last line shows a page with pictures.

# %%
from weightsmith import compare

table = compare(X, y, support=64, splits=2, methods=["generated", "linear-tuned", "forest"])
print(table[["log_loss", "accuracy", "seconds"]].round(4))
table

# %% [markdown]
# ## To other places
# The network in a file for every language, and the whole way from columns to predictions as an ONNX model.

# %%
model.save("penguins.safetensors")
again = WeightsmithClassifier.load("penguins.safetensors")
assert (again.predict(X) == model.predict(X)).all()
model.to_onnx("penguins.onnx")
print({name: weight.shape for name, weight in model.weights_.items()})
