/** What a declaration says, as text: its signature, its docstring and its public members. */
import { type Node, SyntaxKind } from 'typescript/unstable/ast'

export interface Declared {
  /** Without bodies and initializers. */
  readonly signature: string
  /** As Markdown; empty without a docstring. */
  readonly doc: string
  /** Of classes and interfaces. */
  readonly members: readonly Declared[]
  /** Whether the signature has several lines. */
  readonly isLong: boolean
}

/** What has members that are shown one by one. */
const WITH_MEMBERS: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.ClassDeclaration, SyntaxKind.InterfaceDeclaration])
const MEMBERS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.PropertySignature,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.MethodSignature,
  SyntaxKind.GetAccessor,
  SyntaxKind.Constructor,
  SyntaxKind.IndexSignature,
  SyntaxKind.CallSignature,
])
/** Longest declaration of a type that is shown whole. */
const MOST_LINES = 40

export function declaredOf(given: Node): Declared {
  const node = statementOf(given)
  const doc = docOf(node)
  if (WITH_MEMBERS.has(node.kind)) {
    const members = childrenOf(node).filter(isPublic)
    return { signature: headOf(node), doc, members: members.map(memberOf), isLong: false }
  }
  const text = withoutDocs(node.kind === SyntaxKind.VariableStatement ? variableText(given) : bodiless(node))
  const lines = text.split('\n')
  const signature = lines.length > MOST_LINES ? `${lines.slice(0, MOST_LINES).join('\n')}\n// and so on` : text
  return { signature, doc, members: [], isLong: signature.includes('\n') }
}

/** Docstrings of variables are those of their statements. */
function statementOf(node: Node): Node {
  return node.kind === SyntaxKind.VariableDeclaration ? node.parent.parent : node
}

function memberOf(node: Node): Declared {
  const signature = oneLine(withoutDocs(bodiless(node)))
  const doc = signature.startsWith('[Symbol.asyncDispose]') ? 'As `close`.' : oneParagraph(docOf(node))
  return { signature, doc, members: [], isLong: false }
}

function isPublic(node: Node): boolean {
  if (!MEMBERS.has(node.kind)) return false
  const text = node.getText()
  const isPrivate = /^(?:static\s+|readonly\s+|async\s+|override\s+|get\s+|\*\s*)*(?:#|private\b)/.test(text)
  // Members with such names are for other parts of the package.
  return !isPrivate && !/@internal\b/.test(commentOf(node)) && !/^[^({=]*\[(?:FOR_\w+|BRAND)\]/.test(text)
}

/** `class A<T> extends B`. */
function headOf(node: Node): string {
  const text = withoutDocs(node.getText())
  return oneLine(text.slice(0, bodyStart(text)).replace(/^export (?:default )?/, ''))
}

/** The brace that opens the members: those of type parameters are closed before. */
function bodyStart(text: string): number {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '<' || text[i] === '(') depth++
    else if (text[i] === '>' || text[i] === ')') depth--
    else if (text[i] === '{' && depth === 0) return i
  }
  return text.length
}

function bodiless(node: Node): string {
  const body = childrenOf(node).find(({ kind }) => kind === SyntaxKind.Block)
  const value = node.kind === SyntaxKind.PropertyDeclaration ? initializerOf(node) : undefined
  const end = body?.getStart() ?? value?.getStart() ?? node.getEnd()
  const text = node.getSourceFile().text.slice(node.getStart(), end)
  return (
    text
      .replace(/^export (?:default )?/, '')
      .replace(/^(?:async |\*)+/, '')
      // Defaults that are no constants.
      .replaceAll(/(\w)(: [^=]+?) = this\.[#\w.]+/g, '$1?$2')
      .replace(/[\s=;]+$/, '')
  )
}

function initializerOf(node: Node): Node | undefined {
  return (node as Node & { readonly initializer?: Node }).initializer
}

/** Values of tables are elsewhere; what is given a type here has it. */
function variableText(node: Node): string {
  const text = node.getText()
  const value = initializerOf(node)
  const isShort = text.split('\n').length <= 8
  return `const ${isShort || value === undefined ? text : text.slice(0, value.getStart() - node.getStart()).replace(/\s*=\s*$/, '')}`
}

function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = []
  node.forEachChild((child) => {
    children.push(child)
    return undefined
  })
  return children
}

/** The docstring before a declaration. That at the beginning of a file is about the file. */
function commentOf(node: Node): string {
  const { text } = node.getSourceFile()
  const before = text.slice(node.pos, node.getStart(undefined, false))
  const at = before.lastIndexOf('/**')
  return at < 0 || node.pos + at === 0 ? '' : before.slice(at, before.indexOf('*/', at))
}

function docOf(node: Node): string {
  const text = commentOf(node)
    .replace(/^\/\*\*/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
  return text
    .replaceAll(/\s*@internal\b.*$/gm, '')
    .replaceAll(
      /(^|\s)@param (\w+) ?/g,
      (_, before: string, name: string) => `${before === '' ? '' : '\n'}\n\`${name}\`: `,
    )
    .replaceAll(/(^|\s)@returns /g, (_, before: string) => `${before === '' ? '' : '\n'}\nReturns `)
    .replaceAll(/(^|\s)@throws /g, (_, before: string) => `${before === '' ? '' : '\n'}\nThrows `)
    .replaceAll(/\{(\w+Error)\}/g, '`$1`')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}

function withoutDocs(text: string): string {
  return text.replaceAll(/[ \t]*\/\*\*[\s\S]*?\*\/\n?/g, '').trim()
}

function oneLine(text: string): string {
  return text
    .replaceAll(/([^{;,(|&\s])\n\s+(?=(?:readonly )?\w+\??[:(])/g, '$1; ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([:=]) \| /g, '$1 ')
    .replaceAll('( ', '(')
    .replaceAll(', )', ')')
    .trim()
}

/** Paragraphs of a cell; code and lists stay as they are. */
function oneParagraph(doc: string): string {
  return /```|\n\s*[-|]/.test(doc) ? doc : doc.replaceAll(/(\w)\n\n/g, '$1. ').replaceAll(/\n+/g, ' ')
}
