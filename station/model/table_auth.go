package model

// Who may charge: AuthCtrlr, AuthCacheCtrlr and LocalAuthListCtrlr (part 2, 2.3 to 2.5).

var authRows = []row{
	{id: AuthorizeRemoteStart, name: "AuthorizeRemoteStart", kind: TypeBoolean, def: "false", reader: "core: remote start"},
	{id: DisableRemoteAuthorization, name: "DisableRemoteAuthorization", kind: TypeBoolean, def: "false", reader: "auth"},
	{id: AuthEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "core: transaction start"},
	{id: LocalAuthorizeOffline, name: "LocalAuthorizeOffline", kind: TypeBoolean, def: "true", reader: "auth"},
	{id: LocalPreAuthorize, name: "LocalPreAuthorize", kind: TypeBoolean, def: "false", reader: "auth"},
	{id: MasterPassGroupId, name: "MasterPassGroupId", kind: TypeString, max: at(36), reader: "auth"},
	{id: OfflineTxForUnknownIdEnabled, name: "OfflineTxForUnknownIdEnabled", kind: TypeBoolean, def: "false", reader: "auth"},
}

var authCacheRows = []row{
	{id: AuthCacheAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: AuthCacheDisablePostAuthorize, name: "DisablePostAuthorize", kind: TypeBoolean, def: "false", reader: "auth"},
	{id: AuthCacheEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "auth; core: clear cache"},
	{id: AuthCacheLifeTime, name: "LifeTime", kind: TypeInteger, unit: "s", min: at(1), def: "2592000", reader: "auth"},
	{id: AuthCachePolicy, name: "Policy", kind: TypeOptionList, values: "LRU,LFU,FIFO", def: "LRU", reader: "auth"},
	{id: AuthCacheStorage, name: "Storage", mut: ReadOnly, kind: TypeInteger, unit: "B", live: true, def: "0", reader: "report"},
}

var localListRows = []row{
	{id: LocalAuthListAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: BytesPerMessageSendLocalList, name: "BytesPerMessage", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "33554432", reader: "dialect: SendLocalList"},
	{id: LocalAuthListDisablePostAuthorize, name: "DisablePostAuthorize", kind: TypeBoolean, def: "false", reader: "auth"},
	{id: LocalAuthListEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "auth; core: SendLocalList"},
	{id: LocalAuthListEntries, name: "Entries", mut: ReadOnly, kind: TypeInteger, live: true, def: "0", reader: "report"},
	{id: ItemsPerMessageSendLocalList, name: "ItemsPerMessage", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "100000", reader: "dialect: SendLocalList"},
	{id: LocalAuthListStorage, name: "Storage", mut: ReadOnly, kind: TypeInteger, unit: "B", live: true, def: "0", reader: "report"},
	{id: LocalAuthListSupportsExpiryDateTime, name: "SupportsExpiryDateTime", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "auth"},
}
