"""Helpers that several commands share: choosing a sprint, charts, forecasts, moving items, reports."""
