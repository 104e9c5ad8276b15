"""This scanner, the whole way: inventory, plan, visit, judge, store. Its project is in the task.

Worker processes import this file again, as they do the `sauro` command: so nothing heavy is here.
"""

if __name__ == "__main__":
    from sauro_whole import main

    main()
