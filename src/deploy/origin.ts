/** Where a repository is cloned from, as something to compare: an id says whose things are, and a copy of a repository has its original's. */
import { hash } from 'node:crypto'

/**
 * 16 hex digits of host and path, whichever way they are written: `git@github.com:games/shop.git` and
 * `https://token@github.com/games/shop` are one place. Nothing of a user or a password is in it.
 */
export function originDigest(url: string): string {
  const [, host, path] =
    /^[a-z+]+:\/\/(?:[^/@]*@)?([^/:]+)(?::\d+)?\/(.*)$/i.exec(url) ??
    /^(?:[^/@]*@)?([^/:]+):(?!\/\/)(.*)$/.exec(url) ??
    []
  const place = host === undefined ? url : `${host}/${path}`
  const plain = place
    .toLowerCase()
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
  return hash('sha256', plain, 'hex').slice(0, 16)
}
