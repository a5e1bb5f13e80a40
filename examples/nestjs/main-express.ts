// A NestJS application on all cores, with the adapter for Express.
//
//   npm install && npm run build
//   npx reuseport run -n auto dist/main-express.js 8080
import 'reflect-metadata'
import process from 'node:process'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { AppModule } from './app.module.js'

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error', 'warn'] })
app.enableShutdownHooks()
await app.listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
