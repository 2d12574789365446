//! The numbers of RFB, one table each: lossless on unknown values, and named in errors.
//!
//! A message of RFC 6143's "client" is a [`ViewerMessage`] here, one of its "server" a [`DesktopMessage`].

use std::fmt;

/// A newtype over a wire code with constants, a table of names and a `Display` of both.
macro_rules! codes {
    ($(#[$doc:meta])* $type:ident($int:ty) { $($(#[$item:meta])* $constant:ident = $value:expr, $name:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(pub $int);

        impl $type {
            $($(#[$item])* #[doc = concat!("\n", $name, ".")] pub const $constant: Self = Self($value);)*

            /// Every code that has a name.
            pub const KNOWN: &[(Self, &'static str)] = &[$((Self::$constant, $name)),*];

            /// Its name in the specification; `None` for a number that has none here.
            pub fn name(self) -> Option<&'static str> {
                Self::KNOWN.iter().find(|(code, _)| *code == self).map(|(_, name)| *name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} ({})", self.name().unwrap_or("unknown"), self.0)
            }
        }
    };
}

codes! {
    /// Encodings and pseudo-encodings of rectangles (RFC 6143 §7.7, §7.8; community specification).
    Encoding(i32) {
        RAW = 0, "Raw";
        COPY_RECT = 1, "CopyRect";
        RRE = 2, "RRE";
        CORRE = 4, "CoRRE";
        HEXTILE = 5, "Hextile";
        ZLIB = 6, "Zlib";
        TIGHT = 7, "Tight";
        ZLIB_HEX = 8, "ZlibHex";
        ULTRA = 9, "Ultra";
        TRLE = 15, "TRLE";
        ZRLE = 16, "ZRLE";
        ZYWRLE = 17, "ZYWRLE or KasmVideo";
        H264 = 20, "H.264";
        JPEG = 21, "JPEG";
        OPEN_H264 = 50, "Open H.264";
        /// JPEG quality 0, the lowest; -23 is 9, the highest.
        JPEG_QUALITY_0 = -32, "JPEG quality 0";
        JPEG_QUALITY_9 = -23, "JPEG quality 9";
        DESKTOP_SIZE = -223, "DesktopSize";
        LAST_RECT = -224, "LastRect";
        POINTER_POS = -232, "PointerPos";
        CURSOR = -239, "Cursor";
        X_CURSOR = -240, "XCursor";
        /// Compression level 0, the fastest; -247 is 9, the smallest.
        COMPRESS_LEVEL_0 = -256, "compression level 0";
        COMPRESS_LEVEL_9 = -247, "compression level 9";
        QEMU_POINTER_MOTION_CHANGE = -257, "QEMU Pointer Motion Change";
        QEMU_EXTENDED_KEY_EVENT = -258, "QEMU Extended Key Event";
        QEMU_AUDIO = -259, "QEMU Audio";
        TIGHT_PNG = -260, "TightPNG";
        QEMU_LED_STATE = -261, "QEMU LED State";
        GII = -305, "gii";
        DESKTOP_NAME = -307, "DesktopName";
        EXTENDED_DESKTOP_SIZE = -308, "ExtendedDesktopSize";
        XVP = -309, "xvp";
        FENCE = -312, "Fence";
        CONTINUOUS_UPDATES = -313, "ContinuousUpdates";
        CURSOR_WITH_ALPHA = -314, "CursorWithAlpha";
        EXTENDED_MOUSE_BUTTONS = -316, "Extended Mouse Buttons";
        TIGHT_NO_ZLIB = -317, "Tight without Zlib";
        EXTENDED_CLIPBOARD = 0xC0A1_E5CE_u32.cast_signed(), "Extended Clipboard";
        VMWARE_CURSOR = 0x574d_5664, "VMware Cursor";
        VMWARE_CURSOR_STATE = 0x574d_5665, "VMware Cursor State";
        VMWARE_CURSOR_POSITION = 0x574d_5666, "VMware Cursor Position";
        VMWARE_KEY_REPEAT = 0x574d_5667, "VMware Key Repeat";
        VMWARE_LED_STATE = 0x574d_5668, "VMware LED State";
        VMWARE_DISPLAY_MODE = 0x574d_5669, "VMware Display Mode Change";
        VMWARE_MACHINE_STATE = 0x574d_566a, "VMware Virtual Machine State";
        VA_H264 = 0x4832_3634, "VA H.264";
        REPLIT_AUDIO = 0x5270_6c41, "Replit Audio";
        LIBVNC_KEYBOARD_LED_STATE = 0xFFFE_0000_u32.cast_signed(), "LibVNCServer Keyboard LED State";
        LIBVNC_SUPPORTED_MESSAGES = 0xFFFE_0001_u32.cast_signed(), "LibVNCServer Supported Messages";
        LIBVNC_SUPPORTED_ENCODINGS = 0xFFFE_0002_u32.cast_signed(), "LibVNCServer Supported Encodings";
        LIBVNC_IDENTITY = 0xFFFE_0003_u32.cast_signed(), "LibVNCServer Identity";
        ULTRA_CACHE = 0xFFFF_0000_u32.cast_signed(), "UltraVNC Cache";
        ULTRA_CACHE_ENABLE = 0xFFFF_0001_u32.cast_signed(), "UltraVNC CacheEnable";
        ULTRA_XOR_ZLIB = 0xFFFF_0002_u32.cast_signed(), "UltraVNC XOR Zlib";
        ULTRA_XOR_MONO_ZLIB = 0xFFFF_0003_u32.cast_signed(), "UltraVNC XOR monochrome Zlib";
        ULTRA_XOR_MULTI_ZLIB = 0xFFFF_0004_u32.cast_signed(), "UltraVNC XOR multicolour Zlib";
        ULTRA_SOLID_COLOUR = 0xFFFF_0005_u32.cast_signed(), "UltraVNC SolidColour";
        ULTRA_XOR_ENABLE = 0xFFFF_0006_u32.cast_signed(), "UltraVNC XOREnable";
        ULTRA_CACHE_ZIP = 0xFFFF_0007_u32.cast_signed(), "UltraVNC CacheZip";
        ULTRA_SOLID_MONO_ZIP = 0xFFFF_0008_u32.cast_signed(), "UltraVNC SolMonoZip";
        ULTRA_ZIP = 0xFFFF_0009_u32.cast_signed(), "UltraVNC UltraZip";
    }
}

codes! {
    /// Security types of the handshake (RFC 6143 §7.1.2).
    SecurityType(u8) {
        INVALID = 0, "Invalid";
        NONE = 1, "None";
        VNC_AUTH = 2, "VNC Authentication";
        RA2 = 5, "RSA-AES";
        RA2NE = 6, "RSA-AES unencrypted";
        RA2_2 = 13, "RSA-AES two-step";
        TIGHT = 16, "Tight";
        ULTRA = 17, "Ultra";
        TLS = 18, "TLS";
        VENCRYPT = 19, "VeNCrypt";
        SASL = 20, "SASL";
        XVP = 22, "xvp";
        APPLE_DH = 30, "Apple Diffie-Hellman";
        APPLE_31 = 31, "Apple 31";
        APPLE_32 = 32, "Apple 32";
        APPLE_33 = 33, "Apple Remote Desktop, Secure Remote Password";
        APPLE_34 = 34, "Apple 34";
        APPLE_35 = 35, "Apple Kerberos";
        MS_LOGON_2 = 113, "MSLogonII";
        RA2_256 = 129, "RSA-AES-256";
        RA2NE_256 = 130, "RSA-AES-256 unencrypted";
        RA2_2_256 = 133, "RSA-AES-256 two-step";
    }
}

codes! {
    /// Types within the security type VeNCrypt 0.2 (community specification, "VeNCrypt").
    VeNCryptType(u32) {
        /// Types of RFB itself, which some desktops offer again in here.
        NONE = 1, "None";
        VNC_AUTH = 2, "VNC Authentication";
        PLAIN = 256, "Plain";
        TLS_NONE = 257, "TLSNone";
        TLS_VNC = 258, "TLSVnc";
        TLS_PLAIN = 259, "TLSPlain";
        X509_NONE = 260, "X509None";
        X509_VNC = 261, "X509Vnc";
        X509_PLAIN = 262, "X509Plain";
        TLS_SASL = 263, "TLSSASL";
        X509_SASL = 264, "X509SASL";
        IDENT = 265, "Ident";
        TLS_IDENT = 266, "TLSIdent";
        X509_IDENT = 267, "X509Ident";
    }
}

codes! {
    /// First byte of a message from a viewer (RFC 6143 §7.5; community specification).
    ViewerMessage(u8) {
        SET_PIXEL_FORMAT = 0, "SetPixelFormat";
        FIX_COLOUR_MAP_ENTRIES = 1, "FixColourMapEntries";
        SET_ENCODINGS = 2, "SetEncodings";
        FRAMEBUFFER_UPDATE_REQUEST = 3, "FramebufferUpdateRequest";
        KEY_EVENT = 4, "KeyEvent";
        POINTER_EVENT = 5, "PointerEvent";
        CUT_TEXT = 6, "ClientCutText";
        FILE_TRANSFER = 7, "UltraVNC FileTransfer";
        SET_SCALE = 8, "SetScale";
        SET_INPUT = 9, "SetServerInput";
        SET_SINGLE_WINDOW = 10, "SetSW";
        TEXT_CHAT = 11, "TextChat";
        KEY_FRAME_REQUEST = 12, "KeyFrameRequest";
        KEEP_ALIVE = 13, "KeepAlive";
        ULTRA_14 = 14, "UltraVNC 14";
        PALM_SET_SCALE_FACTOR = 15, "PalmVNC SetScaleFactor";
        ULTRA_REQUEST_SESSION = 20, "UltraVNC RequestSession";
        ULTRA_SET_SESSION = 21, "UltraVNC SetSession";
        ULTRA_NOTIFY_PLUGIN_STREAMING = 80, "UltraVNC NotifyPluginStreaming";
        VMWARE = 127, "VMware message";
        CAR_CONNECTIVITY = 128, "Car Connectivity";
        TIGHT_FILE_LIST_REQUEST = 130, "Tight FileListRequest";
        TIGHT_FILE_DOWNLOAD_REQUEST = 131, "Tight FileDownloadRequest";
        TIGHT_FILE_UPLOAD_REQUEST = 132, "Tight FileUploadRequest";
        TIGHT_FILE_UPLOAD_DATA = 133, "Tight FileUploadData";
        TIGHT_FILE_DOWNLOAD_CANCEL = 134, "Tight FileDownloadCancel";
        TIGHT_FILE_UPLOAD_FAILED = 135, "Tight FileUploadFailed";
        TIGHT_FILE_CREATE_DIR = 136, "Tight FileCreateDir";
        ENABLE_CONTINUOUS_UPDATES = 150, "EnableContinuousUpdates";
        KASM_REQUEST_STATS = 178, "KasmVNC RequestStats";
        KASM_FRAME_STATS = 179, "KasmVNC FrameStats";
        KASM_BINARY_CLIPBOARD = 180, "KasmVNC BinaryClipboard";
        KASM_UPGRADE_TO_UDP = 181, "KasmVNC UpgradeToUdp";
        KASM_SUBSCRIBE_UNIX_RELAY = 182, "KasmVNC SubscribeUnixRelay";
        KASM_UNIX_RELAY = 183, "KasmVNC UnixRelay";
        KASM_VIDEO_ENCODERS = 184, "KasmVNC VideoEncoders";
        KASM_KEEP_ALIVE = 185, "KasmVNC KeepAlive";
        KASM_DIRECT_MOUSE = 188, "KasmVNC DirectMouse";
        KASM_LATENCY = 189, "KasmVNC Latency";
        KASM_190 = 190, "KasmVNC statistics 190";
        KASM_191 = 191, "KasmVNC statistics 191";
        REPLIT_AUDIO = 245, "Replit Audio";
        FENCE = 248, "ClientFence";
        OLIVE = 249, "OLIVE Call Control";
        XVP = 250, "xvp";
        SET_DESKTOP_SIZE = 251, "SetDesktopSize";
        TIGHT_OR_KASM_252 = 252, "Tight file transfer or KasmVNC SetMaxVideoResolution";
        GII = 253, "gii";
        VMWARE_254 = 254, "VMware message 254";
        QEMU = 255, "QEMU message";
    }
}

codes! {
    /// First byte of a message from a desktop (RFC 6143 §7.6; community specification).
    DesktopMessage(u8) {
        FRAMEBUFFER_UPDATE = 0, "FramebufferUpdate";
        SET_COLOUR_MAP_ENTRIES = 1, "SetColourMapEntries";
        BELL = 2, "Bell";
        CUT_TEXT = 3, "ServerCutText";
        RESIZE_FRAMEBUFFER = 4, "UltraVNC ResizeFrameBuffer";
        ULTRA_5 = 5, "UltraVNC 5";
        ULTRA_6 = 6, "UltraVNC 6";
        FILE_TRANSFER = 7, "UltraVNC FileTransfer";
        ULTRA_8 = 8, "UltraVNC 8";
        ULTRA_9 = 9, "UltraVNC 9";
        ULTRA_10 = 10, "UltraVNC 10";
        TEXT_CHAT = 11, "TextChat";
        ULTRA_12 = 12, "UltraVNC 12";
        KEEP_ALIVE = 13, "KeepAlive";
        ULTRA_14 = 14, "UltraVNC 14";
        PALM_RESIZE_FRAMEBUFFER = 15, "PalmVNC ReSizeFrameBuffer";
        TIGHT_FILE_LIST_DATA = 130, "Tight FileListData";
        TIGHT_FILE_DOWNLOAD_DATA = 131, "Tight FileDownloadData";
        TIGHT_FILE_UPLOAD_CANCEL = 132, "Tight FileUploadCancel";
        TIGHT_FILE_DOWNLOAD_FAILED = 133, "Tight FileDownloadFailed";
        END_OF_CONTINUOUS_UPDATES = 150, "EndOfContinuousUpdates";
        ULTRA_STATE = 173, "UltraVNC ServerState";
        KASM_STATS = 178, "KasmVNC Stats";
        KASM_REQUEST_FRAME_STATS = 179, "KasmVNC RequestFrameStats";
        KASM_BINARY_CLIPBOARD = 180, "KasmVNC BinaryClipboard";
        KASM_UPGRADE_TO_UDP = 181, "KasmVNC UpgradeToUdp";
        KASM_SUBSCRIBE_UNIX_RELAY = 182, "KasmVNC SubscribeUnixRelay";
        KASM_UNIX_RELAY = 183, "KasmVNC UnixRelay";
        KASM_VIDEO_ENCODERS = 184, "KasmVNC VideoEncoders";
        KASM_DISCONNECT = 186, "KasmVNC Disconnect";
        KASM_KEEP_ALIVE = 187, "KasmVNC KeepAlive";
        KASM_LATENCY = 189, "KasmVNC Latency";
        KASM_190 = 190, "KasmVNC statistics 190";
        KASM_191 = 191, "KasmVNC statistics 191";
        REPLIT_AUDIO = 245, "Replit Audio";
        FENCE = 248, "ServerFence";
        XVP = 250, "xvp";
        GII_OR_KASM_USER_ADDED = 253, "gii or KasmVNC UserAdded";
        VMWARE_OR_KASM_USER_REMOVED = 254, "VMware or KasmVNC UserRemoved";
        QEMU = 255, "QEMU message";
    }
}

codes! {
    /// Bits of an extended clipboard message's flags: formats below 16, actions from 24 (community specification, "Extended Clipboard
    /// Pseudo-Encoding").
    ClipboardBit(u8) {
        TEXT = 0, "text";
        RTF = 1, "RTF";
        HTML = 2, "HTML";
        DIB = 3, "DIB";
        FILES = 4, "files";
        /// The first of eleven formats that are not given out.
        FORMAT_5 = 5, "formats 5 to 15";
        CAPS = 24, "caps";
        REQUEST = 25, "request";
        PEEK = 26, "peek";
        NOTIFY = 27, "notify";
        PROVIDE = 28, "provide";
    }
}

impl ClipboardBit {
    /// The bit in the flags.
    pub const fn mask(self) -> u32 {
        1 << self.0
    }
}

/// Second byte of a QEMU message that carries an extended key (community specification, "QEMU Extended Key Event Message").
pub const QEMU_EXTENDED_KEY: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_named_once() {
        fn unique<T: Copy + Ord>(codes: impl Iterator<Item = T> + Clone) -> bool {
            let mut sorted: Vec<T> = codes.clone().collect();
            sorted.sort();
            sorted.dedup();
            sorted.len() == codes.count()
        }
        assert!(unique(Encoding::KNOWN.iter().map(|(code, _)| *code)));
        assert!(unique(SecurityType::KNOWN.iter().map(|(code, _)| *code)));
        assert!(unique(VeNCryptType::KNOWN.iter().map(|(code, _)| *code)));
        assert!(unique(ClipboardBit::KNOWN.iter().map(|(code, _)| *code)));
        assert!(unique(ViewerMessage::KNOWN.iter().map(|(code, _)| *code)));
        assert!(unique(DesktopMessage::KNOWN.iter().map(|(code, _)| *code)));
    }

    #[test]
    fn numbers_of_the_specification() {
        assert_eq!(Encoding::CURSOR.0.to_be_bytes(), [0xff, 0xff, 0xff, 0x11]);
        assert_eq!(Encoding::EXTENDED_CLIPBOARD.0.to_be_bytes(), [0xc0, 0xa1, 0xe5, 0xce]);
        assert_eq!(Encoding::EXTENDED_DESKTOP_SIZE.to_string(), "ExtendedDesktopSize (-308)");
        assert_eq!(Encoding(4711).to_string(), "unknown (4711)");
        assert_eq!(SecurityType::VENCRYPT.to_string(), "VeNCrypt (19)");
        assert_eq!(DesktopMessage(180).name(), Some("KasmVNC BinaryClipboard"));
    }
}
