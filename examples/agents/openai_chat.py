"""An A2A agent in front of any OpenAI-compatible endpoint; it needs OPENAI_BASE_URL to be set.

OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_MODEL=llama3.2 \
    python -m examples.agents.openai_chat --port 0
"""

import os
import sys
from typing import Any

import httpx
from a2a.types import AgentSkill
from examples.agents.serving import Agent, Answer, Refused, run

BASE_URL = os.environ.get("OPENAI_BASE_URL", "")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
SYSTEM = "Answer briefly and say so when you do not know."


async def chat(given: dict[str, Any]) -> Answer:
    """Put `text` to the model and pass on its words and its own count of tokens."""
    if not given.get("text"):
        raise Refused("There is no text to answer.")
    messages = [
        {"role": "system", "content": str(given.get("system", SYSTEM))},
        {"role": "user", "content": str(given["text"])},
    ]
    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}
    async with httpx.AsyncClient(base_url=BASE_URL, headers=headers, timeout=120) as http:
        response = await http.post("chat/completions", json={"model": MODEL, "messages": messages})
        response.raise_for_status()
        answer = response.json()
    text = answer["choices"][0]["message"]["content"] or ""
    usage = answer.get("usage") or {}
    counted = {
        "gen_ai.usage.input_tokens": int(usage.get("prompt_tokens", 0)),
        "gen_ai.usage.output_tokens": int(usage.get("completion_tokens", 0)),
    }
    return Answer({"text": text, "model": answer.get("model", MODEL)}, text, counted)


AGENT = Agent(
    name="openai-chat",
    description="Answers with a language model behind an OpenAI-compatible endpoint.",
    skills=(
        AgentSkill(
            id="chat", name="Chat", description="Answers one message.", tags=["language-model"]
        ),
    ),
    work=chat,
)

if __name__ == "__main__":
    if not BASE_URL:
        sys.exit("openai_chat needs OPENAI_BASE_URL, such as http://localhost:11434/v1")
    run(AGENT)
