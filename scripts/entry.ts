interface Program {
  readonly url: string
  readonly args: readonly string[]
}

const { url, args } = (globalThis as unknown as { readonly [slot: symbol]: Program })[Symbol.for('coalition.program')] as Program
const module = (await import(/* @vite-ignore */ url)) as { readonly main?: (args: readonly string[]) => Promise<number | undefined> }
if (module.main === undefined) throw new Error(`${url} exports no main(args)`)
const code = await module.main(args)
if (typeof code === 'number') process.exitCode = code
