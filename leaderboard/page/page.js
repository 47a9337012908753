// Every view of the page has an address. Links lead to addresses, and Back and Forward ask the page
// again; what a reader changes in a control is noted as a new address. Nothing is fetched.
const autophagy = {
  fields: FIELDS,

  // The address of a view, beside parameters that are not the page's, such as the theme.
  address(query) {
    const url = new URL(window.location.href);
    for (const name of this.fields) url.searchParams.delete(name);
    new URLSearchParams(query).forEach((value, name) => url.searchParams.set(name, value));
    return url;
  },

  // A Space lies in a frame of the Hub's page, whose address is the one that readers share.
  tell() {
    const query = window.location.search.slice(1);
    if (window.parent !== window)
      window.parent.postMessage({ queryString: query }, "https://huggingface.co");
  },

  // Words that are typed one letter at a time are one step of the history, not many.
  note(query) {
    if (!query) return;
    const url = this.address(query);
    const here = new URL(window.location.href);
    const same = (one, other) => one.searchParams.toString() === other.searchParams.toString();
    if (!same(url, here)) {
      const typed = here.searchParams.has("search") && url.searchParams.has("search");
      here.searchParams.delete("search");
      const bare = new URL(url);
      bare.searchParams.delete("search");
      const how = typed && same(here, bare) ? "replaceState" : "pushState";
      window.history[how](null, "", url);
    }
    this.tell();
    this.name();
  },

  // The title of the window is that of the view, so that a history can be read.
  name() {
    const known = new URLSearchParams(window.location.search);
    const tab = known.get("tab");
    const picked = [known.get("method"), known.get("a"), known.get("b")].filter(Boolean);
    const said = [picked.join(" and "), tab && !picked.length ? tab : "", known.get("suite")];
    document.title = [...said.filter(Boolean), "Autophagy Bench"].join(" · ");
  },

  ask() {
    document.querySelector("#route").click();
  },

  // After a link: the reader is where the link led, on the screen and with the keyboard.
  arrive() {
    this.name();
    const { place, stay } = this.going || {};
    this.going = null;
    if (!place && !stay) return;
    requestAnimationFrame(() => {
      const there = (place && document.getElementById(place)) || document.getElementById("here");
      if (there) there.focus({ preventScroll: true });
      if (!stay) window.scrollTo(0, 0);
    });
  },
};

document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest('a[href^="?"]');
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  autophagy.going = { place: link.id || "here", stay: "stay" in link.dataset };
  window.history.pushState(null, "", autophagy.address(link.getAttribute("href")));
  autophagy.tell();
  autophagy.ask();
});
window.addEventListener("popstate", () => autophagy.ask());
