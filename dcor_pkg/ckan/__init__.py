"""CKAN: releases and their programs, its configuration, database schema, search index."""
