// Package boost is gradient boosting of decision trees over histograms, for two
// classes: the small baseline that the learnability of a training set is judged
// with, not a model to deploy.
//
// It does what scikit-learn's HistGradientBoostingClassifier does with the same
// [Options], and a test holds its probabilities to scikit-learn's: at most 255
// bins a column, made of the rows trained on; log loss; trees that grow leaf by
// leaf; a missing value (NaN) goes to the side that was better for it in
// training. Columns are numbers: words are for the caller to spell as columns
// of 0 and 1.
//
// The same rows and options give the same model, bit for bit, on any number of
// cores: work is divided by column, never within a sum.
package boost
