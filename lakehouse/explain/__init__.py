"""From a published number to its parts, customers, movements, subscription rows and received rows, without a JVM."""
