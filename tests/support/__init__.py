"""What tests share: the running bot, builders of events, stand-ins and checks."""
