"""What several commands use: choosing a sprint, charts, forecasts, moving items, reports."""
