/** A sheet of an element's own. Made by script, so that no policy of the page has to allow inline styles. */
export const sheet = (css: string): CSSStyleSheet => {
  const made = new CSSStyleSheet()
  made.replaceSync(css)
  return made
}

/** Where there is no document an element is a class that is never constructed. */
export const Base: typeof HTMLElement = typeof HTMLElement === 'undefined' ? (class {} as unknown as typeof HTMLElement) : HTMLElement

/** An element with text and children; no markup is ever parsed. */
export const element = (
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElement => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Colours by the page's scheme; each can be set from outside. */
export const COLOURS = `
  :host {
    color-scheme: light dark;
    --green: var(--verified-green, light-dark(#1a7f37, #3fb950));
    --amber: var(--verified-amber, light-dark(#9a6700, #d29922));
    --red: var(--verified-red, light-dark(#cf222e, #f85149));
    --grey: var(--verified-grey, light-dark(#6e7781, #8b949e));
  }
`
