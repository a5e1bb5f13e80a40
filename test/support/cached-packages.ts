// Packages that only some snippets import, installed into .cache/packages when a test needs them.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { cachedPackage } from '../../scripts/cached-package.mjs'
import { root } from './snippets.js'

const MORE = {
  '@apollo/server': '5.5.1',
  '@nestjs/common': '12.5.1',
  '@nestjs/platform-express': '12.5.1',
  '@nestjs/platform-fastify': '12.5.0',
  '@trpc/server': '11.25.2',
  graphql: '16.15.0',
  next: '16.4.6',
  react: '19.3.1',
  'react-dom': '19.3.1',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<string, object>
const atHand = ['reuseport', ...Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] })]

/** Whether a program imports nothing but Node, this package, its devDependencies and files beside it. */
export function needsMore(code: string): boolean {
  const imported = [...code.matchAll(/(?:from|import|require\() ?'([^']+)'/g)].map(([, name = '']) => name)
  return imported.some((name) => !(name.startsWith('.') || isBuiltin(name) || atHand.some((one) => isIn(name, one))))
}

const isIn = (specifier: string, name: string): boolean => specifier === name || specifier.startsWith(`${name}/`)

/** A folder whose programs can import those packages, and this one. @throws where the registry does not answer. */
export function folderWithMore(): string {
  const specs = Object.entries(MORE).map(([name, version]) => `${name}@${version}`)
  const modules = cachedPackage('@nestjs/core', '12.5.1', specs)
  const own = path.join(modules, 'reuseport')
  rmSync(own, { recursive: true, force: true })
  symlinkSync(root, own)
  const folder = path.join(modules, '../snippets')
  if (!existsSync(folder)) mkdirSync(folder)
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n')
  return folder
}
