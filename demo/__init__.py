"""The product on one machine: a stand-in for GitHub, a sprint to look at, a page to type into."""
