import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { CHECKS, LIGHTS } from '../client/verify/checks.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const PLACES = ['client', 'worker', 'node', 'wasm']

/** A class of errors as its source has it. */
interface Row {
  readonly code: string
  readonly about: string
  readonly facts: readonly string[]
  readonly place: string
}

/** The documents that are made from the source, by path in the checkout. */
export const tables = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/checks.md', checks()],
    ['docs/errors.md', errors()],
  ])

const MADE = 'Made by `npm run tables` from the source: change that.'

const checks = (): string => {
  const light = (name: keyof typeof LIGHTS): readonly string[] => [
    `## ${name}`,
    '',
    '| check | what was compared | when it fails, or stays unproven | asked for by |',
    '|---|---|---|---|',
    ...LIGHTS[name].map((check) => {
      const { checks: compared, failure, source } = CHECKS[check]
      return `| \`${check}\` | ${compared} | ${failure} | ${source} |`
    }),
    '',
  ]
  return [
    '# Checks',
    '',
    `Every verdict is made of these, and of no others. ${MADE}`,
    '',
    'A check is *passed*, *failed*, *unproven* (what would show it was not there) or *absent* (it does not apply here). A light is red when one of its checks failed, amber when one is unproven or none passed, green otherwise; `ok` says',
    'that none is red. A value whose check failed is never handed out: `Verify.EvidenceError` carries its verdict.',
    '',
    ...(Object.keys(LIGHTS) as (keyof typeof LIGHTS)[]).flatMap(light),
  ].join('\n')
}

const errors = (): string => {
  const rows = PLACES.flatMap(sources)
    .flatMap(errorsOf)
    .sort((a, b) => (a.code < b.code ? -1 : 1))
  return [
    '# Errors',
    '',
    `By code, which is the error's \`name\`: \`isError(error, 'Network.ConnectTimeoutError')\` holds in whatever realm the error was made. Facts are fields of it. ${MADE}`,
    '',
    '| code | what it says | facts | in |',
    '|---|---|---|---|',
    ...rows.map(
      ({ code, about, facts, place }) => `| \`${code}\` | ${about} | ${facts.map((fact) => `\`${fact}\``).join(', ')} | ${place} |`,
    ),
    '',
  ].join('\n')
}

const sources = (place: string): readonly string[] =>
  readdirSync(root + place, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('assembly') && !name.includes('.generated.') && !name.endsWith('.d.ts'))
    .map((name) => `${place}/${name}`)

const CODE = /^[A-Z]\w*\.[A-Z]\w+$/

/** The classes of a file whose name ends in Error and that give themselves a code. */
const errorsOf = (place: string): readonly Row[] => {
  const file = ts.createSourceFile(place, readFileSync(root + place, 'utf8'), ts.ScriptTarget.Latest, true)
  return file.statements
    .filter((statement) => ts.isClassDeclaration(statement))
    .filter(({ name }) => name?.text.endsWith('Error'))
    .flatMap((declared) => {
      const facts = factsIn(declared)
      return codesIn(declared).map((code) => ({ code, about: aboutOf(declared), facts, place }))
    })
}

/** Names in the facts that the constructor hands on, and declared fields beside them. */
const factsIn = (declared: ts.ClassDeclaration): readonly string[] => {
  const found = new Set<string>()
  const walk = (node: ts.Node): void => {
    const facts = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword ? node.arguments[2] : undefined
    if (facts !== undefined && ts.isObjectLiteralExpression(facts))
      for (const { name } of facts.properties) if (name !== undefined) found.add(name.getText())
    node.forEachChild(walk)
  }
  walk(declared)
  for (const member of declared.members) if (ts.isPropertyDeclaration(member) && isFact(member)) found.add(member.name.getText())
  return [...found]
}

const isFact = ({ name, modifiers = [] as never }: ts.PropertyDeclaration): boolean => {
  const kinds = Array.from(modifiers, ({ kind }) => kind)
  const isOwn = !kinds.includes(ts.SyntaxKind.OverrideKeyword) && !kinds.includes(ts.SyntaxKind.StaticKeyword)
  return !ts.isPrivateIdentifier(name) && kinds.includes(ts.SyntaxKind.ReadonlyKeyword) && isOwn
}

const codesIn = (node: ts.Node): readonly string[] => {
  const found = new Set<string>()
  const walk = (each: ts.Node): void => {
    if (ts.isStringLiteral(each) && CODE.test(each.text)) found.add(each.text)
    each.forEachChild(walk)
  }
  walk(node)
  return [...found]
}

/** The doc comment, on one line. */
const aboutOf = (declared: ts.ClassDeclaration): string => {
  const [doc] = ts.getJSDocCommentsAndTags(declared)
  const text = doc === undefined ? '' : (ts.getTextOfJSDocComment(doc.comment) ?? '')
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim()
}

/** `npm run tables` writes them; with --check it writes nothing and fails where one is another. */
export const main = async ([option]: readonly string[]): Promise<number> => {
  let changed = 0
  for (const [path, text] of tables()) {
    const isSame = (await readFile(root + path, 'utf8').catch(() => null)) === text
    if (!isSame) changed++
    if (option !== '--check') await writeFile(root + path, text)
    console.log(`${path}${isSame ? '' : ': changed'}`)
  }
  return option === '--check' && changed > 0 ? 1 : 0
}
