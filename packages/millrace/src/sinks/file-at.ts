import { resolve } from 'node:path'

/**
 * The file that a path names: `out/` is a file in that folder, with the name of the pipeline.
 * @param ending with its dot
 */
export function fileAt(
  path: string,
  { directory, pipeline }: { readonly directory: string; readonly pipeline: string },
  ending: string,
): string {
  const isFolder = /[/\\]$/.test(path)
  return resolve(directory, isFolder ? `${path}${pipeline.replaceAll(/[/\\]/g, '-')}${ending}` : path)
}
