import process from 'node:process'
import { Controller, Get, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common'

@Injectable()
class Database implements OnApplicationShutdown {
  #isOpen = true

  read(): number {
    if (!this.#isOpen) throw new Error('the database is closed')
    return process.pid
  }

  /** By `app.enableShutdownHooks()`. Under `reuseport run` all requests have been answered by then. */
  onApplicationShutdown(): void {
    this.#isOpen = false
  }
}

@Controller()
class AppController {
  constructor(private readonly database: Database) {}

  @Get()
  index(): { worker: number } {
    return { worker: this.database.read() }
  }
}

@Module({ controllers: [AppController], providers: [Database] })
export class AppModule {}
