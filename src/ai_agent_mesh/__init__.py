"""AI-Agent Mesh runs AI agents for many customers and proves that it kept its promises to them."""
