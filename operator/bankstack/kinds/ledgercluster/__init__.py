"""A LedgerCluster: MongoDB with the bank's books, its write concern kept and proven."""
