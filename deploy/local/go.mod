module bailiwick.dev/deploy/local

go 1.26.0
