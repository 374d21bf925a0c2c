"""Many sets of numbers that fit England as well as the best one: history matching, then a posterior.

1. `candidates`: which numbers are free, and what is thought of them beforehand.
2. `simulated`: England in small with a candidate, measured as surveys would.
3. `emulators`: fast stand-ins for those measurements (scikit-learn), with their error.
4. `matching`: waves of simulations in the space that emulators do not rule out (Craig et al. 1997; Vernon et al. 2010).
5. `posterior`: a likelihood on the published figures, sampled with emcee, and whether its intervals can be trusted.
6. `members`: sets drawn from it that keep every fitted figure in its range when they are simulated.
"""
