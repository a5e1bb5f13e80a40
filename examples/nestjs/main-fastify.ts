// A NestJS application on all cores, with the adapter for Fastify.
//
//   npm install && npm run build
//   npx reuseport run -n auto dist/main-fastify.js 8080
import 'reflect-metadata'
import process from 'node:process'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { AppModule } from './app.module.js'

const logger = ['error', 'warn'] as const
const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: [...logger] })
app.enableShutdownHooks()
await app.listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
