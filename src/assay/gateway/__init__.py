"""The provider's server: consents to rounds, answers signed questions, keeps every answer before it sends it."""
