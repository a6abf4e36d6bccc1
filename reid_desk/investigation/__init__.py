"""What an operator does with a site: query, filters, possible matches."""

from reid_desk.investigation.person_search import PersonSearch, PossibleMatch

__all__ = ["PersonSearch", "PossibleMatch"]
