"""What the pipeline will bring: forecasts of the ARR won in a quarter, each from what was known on its day alone."""
