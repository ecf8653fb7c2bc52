"""Crashes as each platform reports them: name, reason, one stack frame per line."""

from __future__ import annotations

from random import Random

from client.devices import Device, Platform
from client.script import Crash, CrashSend


def crash_of(at_ms: int, device: Device, dice: Random, send: CrashSend) -> Crash:
    """An index out of bounds in the cart, at a line that `dice` choose."""
    line = dice.randint(40, 420)
    if device.platform is Platform.IOS:
        frames = (
            "0   CoreFoundation   0x00000001b2c4e3d0 __exceptionPreprocess + 164",
            "1   libobjc.A.dylib  0x00000001ab0f5d0c objc_exception_throw + 60",
            "2   CoreFoundation   0x00000001b2d9a1ac -[__NSArrayM objectAtIndexedSubscript:] + 180",
            f"3   Shop             0x0000000102a41f48 CartViewModel.total(of:) + {line}",
            "4   Shop             0x0000000102a3c0b4 CartViewController.viewWillAppear(_:) + 96",
            "5   UIKitCore        0x00000001b50f1c38 -[UIViewController _setViewAppearState:isAnimating:] + 892",
        )
        reason = "*** -[__NSArrayM objectAtIndexedSubscript:]: index 3 beyond bounds [0 .. 2]"
        return Crash(at_ms, "NSRangeException", reason, "\n".join(frames), send)
    frames = (
        f"com.northtrail.shop.cart.CartAdapter.onBindViewHolder(CartAdapter.kt:{line})",
        "androidx.recyclerview.widget.RecyclerView$Adapter.bindViewHolder(RecyclerView.java:7847)",
        "androidx.recyclerview.widget.LinearLayoutManager.layoutChunk(LinearLayoutManager.java:1645)",
        "android.view.Choreographer.doFrame(Choreographer.java:1037)",
        "android.os.Looper.loop(Looper.java:317)",
        "android.app.ActivityThread.main(ActivityThread.java:8592)",
    )
    reason = "Index 3 out of bounds for length 3"
    return Crash(at_ms, "java.lang.IndexOutOfBoundsException", reason, "\n".join(frames), send)
