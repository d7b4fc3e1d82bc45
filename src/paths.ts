import { isAbsolute, relative, sep } from 'node:path'

/** Is a path that folder, or below it? Of absolute paths, by their names alone. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
