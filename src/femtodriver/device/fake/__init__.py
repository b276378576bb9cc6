"""Boards that are not there: made-up answers, for looking at the traffic."""
