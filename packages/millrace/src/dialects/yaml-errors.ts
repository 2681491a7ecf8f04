/** Syntax errors of YAML, in words for people who write pipeline files. */
import type { YAMLParseError } from 'yaml'

interface Explained {
  readonly reason: string
  readonly suggestion?: string
}

/** @param text of the file */
export function explainYaml({ code, message, pos: [at] }: YAMLParseError, text: string): Explained {
  const variable = variableAt(text, at)
  if (variable !== undefined)
    return { reason: `${variable} is not in quotes within { } or [ ]`, suggestion: `write "${variable}"` }
  if (code === 'DUPLICATE_KEY') return { reason: `key "${keyAt(text, at)}" appears twice in the same object` }
  if (code === 'MULTIPLE_DOCS')
    return { reason: 'it has more than one document', suggestion: 'write each pipeline to a file of its own' }
  // Without its colon, the text of a key is taken for the first line of a longer key.
  if (code === 'MULTILINE_IMPLICIT_KEY' || message.startsWith('Implicit map keys'))
    return {
      reason: `"${firstLine(text.slice(at)).trim()}" is not of the form "name: value"`,
      suggestion: 'add the colon',
    }
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return { reason: 'there is a second ": " in the line', suggestion: 'write the value in quotes' }
  const reason = firstLine(message)
  return code === 'TAB_AS_INDENT' ? { reason, suggestion: 'indent with spaces' } : { reason }
}

/** YAML takes the brace of an unquoted `${NAME}` within `{ }` or `[ ]` for an object. */
function variableAt(text: string, at: number): string | undefined {
  return text[at] === '{' && text[at - 1] === '$' ? /^\$\{[^}\n]*\}/.exec(text.slice(at - 1))?.[0] : undefined
}

function keyAt(text: string, at: number): string {
  return /^[^:\n]*/
    .exec(text.slice(at))![0]
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.replace(/[.:]$/, '')
}
