"""The little that the page does in the browser."""

from __future__ import annotations

FIELDS = ("suite", "tasks", "access", "trust", "search", "tab", "method", "a", "b")
# A Space lies in a frame of the Hub's page, whose address is the one that readers share.
SET_ADDRESS = f"""(query) => {{
  if (!query) return;
  const url = new URL(window.location.href);
  for (const name of {list(FIELDS)}) url.searchParams.delete(name);
  new URLSearchParams(query).forEach((value, name) => url.searchParams.set(name, value));
  window.history.replaceState(window.history.state, "", url);
  if (window.parent !== window)
    window.parent.postMessage({{queryString: query}}, "https://huggingface.co");
}}"""
STORE = """(file) => {
  const [name, content] = file.split(";");
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""
