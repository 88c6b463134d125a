"""Training by gradients: the loop behind `jn.train`, and the audit of the gradients it follows."""

from ._audit import Estimate as Estimate, GradientAudit as GradientAudit, audit_gradient as audit_gradient
from ._diagnosis import Finding as Finding, TrainingWarning as TrainingWarning
from ._train import Trained as Trained, train as train
