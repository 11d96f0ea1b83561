//! Judgement: levels, history, expectation and the words for them.
