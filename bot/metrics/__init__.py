"""The service's own figures for Prometheus: instruments, what is read at each scrape, and `GET /metrics`."""
